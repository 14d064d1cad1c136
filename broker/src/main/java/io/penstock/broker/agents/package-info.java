/// Who may hold a tunnel: enrollment, approval, custody of identities, admission, the clone alarm,
/// revocation and presence.
/// Imports `codec`, `broker.tunnel`'s interfaces, `broker.keys`, `broker.store`, `broker.audit` and
/// `broker.access`'s `Actor` and tokens; never routes, Netty or SQL.
/// `Ledger` stands before `broker.audit` on purpose: it writes an event and its alarm in the same
/// transaction, and speaks of agents that act without an operator.
@NullMarked
package io.penstock.broker.agents;

import org.jspecify.annotations.NullMarked;
