/// Who may hold a tunnel: enrollment, approval, custody of identities, admission, the clone alarm,
/// revocation and presence.
/// Imports `codec`, `broker.tunnel`, `broker.keys`, `broker.store`, `broker.audit` and the
/// interfaces of `broker.api` that it implements; never Netty's pipeline nor SQL.
@NullMarked
package io.penstock.broker.agents;

import org.jspecify.annotations.NullMarked;
