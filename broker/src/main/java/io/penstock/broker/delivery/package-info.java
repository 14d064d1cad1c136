/// Durable delivery: what an agent must hear waits in Postgres until its receipt, is sent in order,
/// again after each reconnect, and is acknowledged in the transaction that records what came of it.
/// Imports `codec`, `broker.tunnel`'s interfaces, `broker.agents`' interfaces, `broker.store`,
/// `broker.audit` and `broker.access`'s `Actor`; knows systems only through `Documents`.
@NullMarked
package io.penstock.broker.delivery;

import org.jspecify.annotations.NullMarked;
