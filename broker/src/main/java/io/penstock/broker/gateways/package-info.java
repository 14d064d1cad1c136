/// What agents without a tunnel get instead of one: their sealed configuration when they ask, and a
/// presence that lasts from one heartbeat to the next.
/// Imports `codec`, `broker.agents`' `Gateways`, `broker.delivery`, `broker.tunnel`'s
/// `LiveSession`, `broker.keys`, `broker.systems`' `Proof` and `broker.store`; never routes or SQL.
@NullMarked
package io.penstock.broker.gateways;

import org.jspecify.annotations.NullMarked;
