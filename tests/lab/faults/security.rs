//! Security: secrets in the open, known credentials, plain text, the wrong user.

use std::path::Path;

use super::process::unit;
use super::{Fault, fails, warns};
use crate::lab::UNITS;
use crate::planting::Planting;
use crate::volume;

pub(super) const FAULTS: &[Fault] = &[
    fails("sec.secrets", "a secret on the command line", |planting| {
        planting.restart(|spec| spec.arguments.push("--password=lab-93c1f0b7".into()))?;
        planting.names(planting.pid());
        Ok(())
    }),
    warns("sec.secrets", "a secret in the unit's environment", |planting| {
        planting.names("IGGY_ROOT_PASSWORD");
        planting.names("iggy-server.service");
        unit(planting, "Restart=on-failure", "Environment=IGGY_ROOT_PASSWORD=lab-77ab12\nRestart=on-failure")
    }),
    fails("sec.secrets", "a secret in a file that everybody can read", |planting| {
        let file = Path::new(UNITS).join("iggy.env");
        planting.write(&file, b"IGGY_ROOT_PASSWORD=lab-5f02c1d4\n")?;
        planting.mode(&file, 0o644)?;
        planting.names(file.display());
        let line = format!("EnvironmentFile={}\nRestart=on-failure", file.display());
        unit(planting, "Restart=on-failure", &line)
    }),
    fails("sec.default-creds", "credentials of the documentation", |planting| {
        planting.restart(|spec| {
            spec.set("IGGY_ROOT_USERNAME", "iggy");
            spec.set("IGGY_ROOT_PASSWORD", "iggy");
        })
    }),
    warns("sec.run-as", "server runs as root", |planting| planting.restart(|spec| spec.user = 0))
        .and(&["disk.data-dir", "tls.key-perms"]),
    warns("sec.plaintext", "plain HTTP on all addresses", |planting: &mut Planting<'_>| {
        planting.names("0.0.0.0:3000");
        planting.config(|config| volume::set(config, "http.address", "0.0.0.0:3000"))?;
        planting.restart(|_| ())
    }),
    warns("sec.cluster-auth", "cluster on the network without authentication", |planting: &mut Planting<'_>| {
        planting.names("10.77.0.2");
        planting.config(|config| {
            volume::set(config, "cluster.enabled", true);
            volume::set(config, "cluster.node.current.ip", volume::ADDRESS);
            let mut other = toml::Table::new();
            other.insert("name".into(), "iggy-node-2".into());
            other.insert("ip".into(), "10.77.0.2".into());
            volume::set(config, "cluster.node.others", toml::Value::Array(vec![other.into()]));
        })
    })
    // Its other listeners stand on loopback, where no other member reaches them, and a cluster needs one time.
    .and(&["net.listeners", "time.sync"]),
];
