//! Token buckets: so many requests a minute of one key, so many failed logins a minute of one address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets kept at a time. Past it those that are full again go first, then all: an attacker with very many addresses
/// may thereby get a fresh allowance, never memory.
const BUCKETS_MAX: usize = 65_536;
const MINUTE: Duration = Duration::from_mins(1);

/// A bucket for each `K`; each holds a minute's allowance when full.
#[derive(Debug)]
pub struct Limiter<K> {
    per_minute: u32,
    /// When each bucket will be full again; one that is full needs no entry.
    full_at: Mutex<HashMap<K, Instant>>,
}

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Seconds until there is a token, at least one.
    pub retry_after_s: u64,
}

impl<K: Eq + Hash> Limiter<K> {
    /// Buckets of this many tokens a minute; 0: no limit.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, full_at: Mutex::default() }
    }

    /// Takes a token of `key`.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Exhausted> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let token = MINUTE / self.per_minute;
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(&key).copied().unwrap_or(now).max(now);
        let missing = full_at - now;
        let lacking = (missing + token).saturating_sub(MINUTE);
        if !lacking.is_zero() {
            return Err(Exhausted { retry_after_s: whole_seconds(lacking) });
        }
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= BUCKETS_MAX {
                buckets.clear();
            }
        }
        buckets.insert(key, full_at + token);
        Ok(())
    }
}

fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

/// What one client can be told apart by: an IPv4 address, or the /64 of an IPv6 address, since a single host has all of it.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            std::net::Ipv6Addr::from_bits(prefix).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_minutes_allowance_and_then_one_token_at_a_time() {
        let limiter = Limiter::new(60);
        let start = Instant::now();
        for _ in 0..60 {
            assert_eq!(limiter.take("a", start), Ok(()));
        }
        assert_eq!(limiter.take("a", start), Err(Exhausted { retry_after_s: 1 }));
        assert_eq!(limiter.take("b", start), Ok(()), "another key has its own");
        assert_eq!(limiter.take("a", start + Duration::from_millis(999)), Err(Exhausted { retry_after_s: 1 }));
        assert_eq!(limiter.take("a", start + Duration::from_secs(1)), Ok(()));
        assert!(limiter.take("a", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_refusal_says_how_long_to_wait_and_costs_nothing() {
        let limiter = Limiter::new(2);
        let start = Instant::now();
        assert!(limiter.take("a", start).is_ok() && limiter.take("a", start).is_ok());
        for _ in 0..9 {
            assert_eq!(limiter.take("a", start), Err(Exhausted { retry_after_s: 30 }));
        }
        assert_eq!(limiter.take("a", start + Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let limiter = Limiter::new(0);
        assert!((0..1000).all(|_| limiter.take("a", Instant::now()).is_ok()));
    }

    #[test]
    fn the_number_of_buckets_is_limited() {
        let limiter = Limiter::new(1);
        let now = Instant::now();
        for key in 0..=BUCKETS_MAX {
            assert!(limiter.take(key, now).is_ok());
        }
        assert!(limiter.full_at.lock().unwrap().len() <= BUCKETS_MAX);
    }

    #[test]
    fn an_ipv6_host_is_its_64_bit_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
        }
    }
}
