/// The public port: TLS, connection limits, and who gets which request: the tunnel endpoint, the
/// edge, or the API behind its unix socket.
/// Imports Netty and `broker.problem` only; the others implement its small interfaces.
@NullMarked
package io.penstock.broker.front;

import org.jspecify.annotations.NullMarked;
