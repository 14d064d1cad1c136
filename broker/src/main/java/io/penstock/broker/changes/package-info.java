/// Changes that wait for a second person: proposed with their exact request, approved by another
/// account, carried out only on what they were proposed for.
/// Imports `broker.systems`, `broker.agents`' operations, `broker.access`, `broker.audit`,
/// `broker.keys`, `broker.config` and `broker.store`; never routes or SQL.
@NullMarked
package io.penstock.broker.changes;

import org.jspecify.annotations.NullMarked;
