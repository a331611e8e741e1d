//! The network: queues, listeners, links, states.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use super::{Fault, fails, warns};
use crate::Outcome;
use crate::planting::Planting;
use crate::volume::{self, ADDRESS};

pub(super) const FAULTS: &[Fault] = &[
    // First: those after it leave connections in TIME-WAIT for a minute.
    warns("net.tcp-states", "TIME-WAIT fills the local ports", time_wait),
    warns("net.accept-queue", "somaxconn at 128", |planting| {
        planting.names("128");
        planting.kernel("/proc/sys/net/core/somaxconn", "128")
    }),
    // Our own handshake waits in that queue as well.
    warns("net.accept-queue", "accept queue 73 % full", full_queue).and(&["tls.listener"]),
    warns("net.tcp-states", "CLOSE-WAIT leak", close_wait),
    fails("net.links", "Iggy's interface is down", |planting| {
        planting.names("iggy0");
        planting.run("ip link set iggy0 down", "ip route replace default via 10.77.0.2 dev iggy0")?;
        planting.later(|_| crate::run("ip", &["link", "set", "iggy0", "up"]));
        Ok(())
    }),
    fails("net.listeners", "a configured listener is not there", |planting| {
        planting.names("8099");
        planting.config(|config| volume::set(config, "websocket.address", "127.0.0.1:8099"))
    }),
    fails("net.listeners", "another process holds Iggy's port", foreign_listener),
    warns("net.qdisc", "traffic is shaped", |planting| {
        planting.names("iggy0");
        planting.names("tbf");
        planting.run("tc qdisc add dev iggy0 root tbf rate 10mbit burst 10kb limit 20kb", "tc qdisc del dev iggy0 root")
    }),
    // Whoever floods is busy.
    warns("net.udp", "UDP packets find no room", udp_drops).and(&["proc.top"]),
];

/// Connections that nobody accepts: most of the queue of 4,096.
fn full_queue(planting: &mut Planting<'_>) -> Outcome<()> {
    planting.tell("refuse")?;
    let clients: Vec<TcpStream> = (0..3_000).map(|_| TcpStream::connect((ADDRESS, 8090))).collect::<Result<_, _>>()?;
    planting.later(move |_| {
        drop(clients);
        Ok(())
    });
    planting.names("8090");
    Ok(())
}

/// Connections that their clients closed and the server keeps.
fn close_wait(planting: &mut Planting<'_>) -> Outcome<()> {
    planting.tell("leak")?;
    for _ in 0..151 {
        drop(TcpStream::connect((ADDRESS, 8090))?);
    }
    planting.names("8090");
    planting.names("151");
    Ok(())
}

/// A hundred local ports, most of which wait for their time.
fn time_wait(planting: &mut Planting<'_>) -> Outcome<()> {
    planting.kernel("/proc/sys/net/ipv4/ip_local_port_range", "50001 50100")?;
    let listener = TcpListener::bind("127.0.0.1:7000")?;
    for _ in 0..85 {
        let mut client = TcpStream::connect("127.0.0.1:7000")?;
        drop(client.shutdown(std::net::Shutdown::Write));
        drop(listener.accept()?);
        client.read_to_end(&mut Vec::new())?;
    }
    planting.names("127.0.0.1");
    Ok(())
}

/// The server was started while its HTTP port was taken.
fn foreign_listener(planting: &mut Planting<'_>) -> Outcome<()> {
    planting.config(|config| volume::set(config, "http.enabled", false))?;
    planting.restart(|_| ())?;
    planting.config(|config| volume::set(config, "http.enabled", true))?;
    let foreign = TcpListener::bind("127.0.0.1:3000")?;
    planting.later(move |_| {
        drop(foreign);
        Ok(())
    });
    planting.names("3000");
    planting.names(std::process::id());
    Ok(())
}

/// More than the server's QUIC socket has room for, all through the window.
fn udp_drops(planting: &mut Planting<'_>) -> Outcome<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let over = Arc::new(AtomicBool::new(false));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let flood = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            while !over.load(Ordering::Relaxed) {
                let _ = socket.send_to(&[0; 1_200], "127.0.0.1:8080");
                std::thread::yield_now();
            }
        }
    });
    planting.heal_server();
    planting.later(move |_| {
        over.store(true, Ordering::Relaxed);
        flood.join().map_err(|_| "the flood panicked".into())
    });
    Ok(())
}
