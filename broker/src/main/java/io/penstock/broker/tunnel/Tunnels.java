package io.penstock.broker.tunnel;

import io.penstock.broker.front.Ceiling;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.session.Clock;

/// What every tunnel of the process shares.
record Tunnels(
    TunnelSettings settings,
    TunnelAuthority authority,
    Sessions sessions,
    Deliveries deliveries,
    TunnelCounters counters,
    CreditPool credit,
    Clock clock,
    HandshakeWorkers workers,
    TunnelLoop.Each loops,
    Ceiling handshakes) {}
