/// Accepts tunnels: WebSocket, handshake, `Session`, timers; everything of one tunnel runs on its
/// event loop.
/// Imports `codec`, Netty and the seam and limits of `broker.front`; knows identities only through
/// `TunnelAuthority`, which
/// `broker.agents` implements.
@NullMarked
package io.penstock.broker.tunnel;

import org.jspecify.annotations.NullMarked;
