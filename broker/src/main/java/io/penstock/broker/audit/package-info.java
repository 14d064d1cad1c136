/// The audit trail: every security-relevant event, written in the transaction of what it tells of.
/// Imports `broker.store`.
@NullMarked
package io.penstock.broker.audit;

import org.jspecify.annotations.NullMarked;
