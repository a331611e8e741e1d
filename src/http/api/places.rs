//! Finding what a path names, for a key that may see it: what is not there and what is invisible read the same.

use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId};
use crate::http::auth::lacking;
use crate::http::call::Access;
use crate::http::call::{Call, missing};
use crate::http::problem::{Code, Problem};
use crate::store::{DivisionRow, EnvironmentRow, Place, Reader};

/// The ids of a path, parsed before a database thread is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct InEnvironmentPath {
    pub division: DivisionId,
    pub environment: EnvironmentId,
}

impl InEnvironmentPath {
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        Ok(Self {
            division: call.id("division_id", Code::DivisionNotFound)?,
            environment: call.id("environment_id", Code::EnvironmentNotFound)?,
        })
    }
}

/// What a handler's question to the database needs to know of the call, owned, since it runs on another thread.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub caller: crate::http::auth::Caller,
    pub access: Access,
}

impl Asking {
    pub(super) fn of(call: &Call) -> Self {
        Self { caller: call.caller().clone(), access: call.route.access }
    }

    /// The division, if the key sees it.
    pub(super) fn division(&self, reader: &Reader, id: DivisionId) -> Result<DivisionRow, Problem> {
        let found = reader.division(id)?.filter(|row| row.tenant_id == self.caller.key.tenant_id);
        found.filter(|row| self.caller.grant.sees_division(row.id)).ok_or_else(|| missing(Code::DivisionNotFound))
    }

    /// The environment of this division, if the key sees it, and has the permission that the route demands there.
    pub(super) fn environment(&self, reader: &Reader, path: InEnvironmentPath) -> Result<EnvironmentRow, Problem> {
        self.division(reader, path.division)?;
        let found = reader.environment(path.environment)?.filter(|row| row.division_id == path.division);
        let visible = found.filter(|row| self.caller.grant.sees_environment(row.division_id, row.id));
        let row = visible.ok_or_else(|| missing(Code::EnvironmentNotFound))?;
        self.demand(row.division_id, row.id)?;
        Ok(row)
    }

    /// Where the deployment stands, if the key sees it, and has the permission that the route demands there.
    pub(super) fn deployment(&self, reader: &Reader, id: DeploymentId) -> Result<Place, Problem> {
        let found = reader.place(id)?.filter(|place| place.tenant_id == self.caller.key.tenant_id);
        let visible = found.filter(|place| self.caller.grant.sees_environment(place.division_id, place.environment_id));
        let place = visible.ok_or_else(|| missing(Code::DeploymentNotFound))?;
        self.demand(place.division_id, place.environment_id)?;
        Ok(place)
    }

    fn demand(&self, division: DivisionId, environment: EnvironmentId) -> Result<(), Problem> {
        match self.access {
            Access::Environment(permission) if !self.caller.grant.allows(permission, division, environment) => {
                Err(lacking(permission.name()))
            }
            _ => Ok(()),
        }
    }
}
