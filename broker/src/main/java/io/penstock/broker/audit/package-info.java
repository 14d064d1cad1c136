/// The audit trail: every security-relevant event, written in the transaction of what it tells of,
/// and its proof: places in a chain, signed checkpoints, verification, export, reports, retention,
/// and its way to Kafka. Imports `codec.seal` and `codec.audit`, `broker.store`, `broker.keys`, of
/// `broker.config` the data directory and Kafka's settings, and the Kafka client.
@NullMarked
package io.penstock.broker.audit;

import org.jspecify.annotations.NullMarked;
