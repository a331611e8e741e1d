//! Rates: of a key, and of an address that fails.

use serde_json::json;
use snapvisor::store::Security;

use crate::appliance::{Appliance, environment};
use crate::client::Request;

#[test]
fn a_key_over_its_rate_is_a_429_and_other_keys_are_not() {
    let appliance = Appliance::with(&[("limits.requests_per_minute", "5")]);
    let other = appliance.key_with(&environment(&["deployment:read"]), None);
    for _ in 0..5 {
        appliance.get(&appliance.snapshots("")).good();
    }
    let over = appliance.get(&appliance.snapshots(""));
    over.problem(429, "rate_limit_exceeded");
    let retry: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=12).contains(&retry), "{retry}");
    appliance.get_with(&other, &appliance.snapshots("")).good();
    assert_eq!(appliance.metric("snapvisor_rate_limited_total{limit=\"key\"}"), Some(1.0));
}

#[test]
fn zero_switches_a_rate_off() {
    let appliance = Appliance::with(&[("limits.requests_per_minute", "0")]);
    for _ in 0..50 {
        appliance.get("/tenants").good();
    }
}

#[test]
fn an_address_that_fails_too_often_gets_429_for_failing_requests_alone() {
    let appliance = Appliance::with(&[("limits.failed_logins_per_minute", "3")]);
    let failing = || Request::new("GET", "/tenants").send(appliance.address);
    for _ in 0..3 {
        failing().problem(401, "unauthorized");
    }
    let over = failing();
    over.problem(429, "rate_limit_exceeded");
    assert!(over.header("retry-after").is_some());
    appliance.get("/tenants").good();
    // A valid key that is not allowed here or there has not failed to log in.
    appliance.get("/tenants/1").problem(401, "unauthorized");
    let weak = appliance.key_with(&json!({}), None);
    appliance.get_with(&weak, &appliance.tenant("")).problem(403, "forbidden");
    failing().problem(429, "rate_limit_exceeded");
    assert_eq!(appliance.metric("snapvisor_failed_logins_total"), Some(5.0));
}

#[test]
fn a_stranger_with_a_bound_key_takes_nothing_from_its_rate() {
    let appliance = Appliance::with(&[("limits.requests_per_minute", "2"), ("trusted_proxies", "127.0.0.1")]);
    let security = Security { validate_ip: true, allowed_ips: vec!["192.0.2.7".to_owned()] };
    let key = appliance.secured_key(&environment(&["deployment:read"]), None, security);
    let from = |address: &str| {
        let request = Request::new("GET", &appliance.snapshots("")).header("ld-api-key", &key);
        request.header("x-forwarded-for", address).send(appliance.address)
    };
    for _ in 0..9 {
        from("203.0.113.9").problem(403, "address_not_allowed");
    }
    from("192.0.2.7").good();
    from("192.0.2.7").good();
    from("192.0.2.7").problem(429, "rate_limit_exceeded");
}

#[test]
fn two_addresses_do_not_share_their_failures() {
    let appliance = Appliance::with(&[("limits.failed_logins_per_minute", "1"), ("trusted_proxies", "127.0.0.1")]);
    let from =
        |address: &str| Request::new("GET", "/tenants").header("x-forwarded-for", address).send(appliance.address);
    from("192.0.2.1").problem(401, "unauthorized");
    from("192.0.2.1").problem(429, "rate_limit_exceeded");
    from("192.0.2.2").problem(401, "unauthorized");
    from("2001:db8::1").problem(401, "unauthorized");
    from("2001:db8::2").problem(429, "rate_limit_exceeded");
}
