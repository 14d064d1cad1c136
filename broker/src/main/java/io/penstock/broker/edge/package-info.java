/// Invocations in: authenticates the caller, finds the route, carries request and answer over one
/// stream under flow control, and maps every error outward in one place. Imports `codec`,
/// `broker.routing`, `broker.problem`, `broker.tunnel`'s `LiveSession`, `broker.front`'s `Peer` and
/// Netty's HTTP objects; knows callers only through [io.penstock.broker.edge.Callers], which wiring
/// adapts.
@NullMarked
package io.penstock.broker.edge;

import org.jspecify.annotations.NullMarked;
