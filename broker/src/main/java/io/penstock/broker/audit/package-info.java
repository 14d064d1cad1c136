/// The audit trail: every security-relevant event, written in the transaction of what it tells of,
/// and its proof: places in a chain, signed checkpoints, verification, export, reports, retention.
/// Imports `codec.seal` and `codec.audit`, `broker.store`, `broker.keys` and `broker.config`'s data
/// directory.
@NullMarked
package io.penstock.broker.audit;

import org.jspecify.annotations.NullMarked;
