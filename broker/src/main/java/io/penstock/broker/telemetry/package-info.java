/// What the broker tells of itself: meters in Prometheus's format, on loopback.
/// Imports Micrometer, what `broker.edge`, `broker.tunnel`,
/// `broker.front`, `broker.delivery`, `broker.audit` and
/// `broker.measure` count, and `broker.store` for the alarms; nothing imports it but the wiring.
@NullMarked
package io.penstock.broker.telemetry;

import org.jspecify.annotations.NullMarked;
