/// Who may hold a tunnel: enrollment, approval, custody of identities, admission, the clone alarm,
/// revocation and presence.
/// Imports `codec`, `broker.tunnel`'s interfaces, `broker.keys`, `broker.store`, `broker.audit` and
/// `broker.access`'s `Actor`; never routes, Netty or SQL.
@NullMarked
package io.penstock.broker.agents;

import org.jspecify.annotations.NullMarked;
