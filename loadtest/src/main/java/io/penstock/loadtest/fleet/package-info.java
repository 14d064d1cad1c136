/// Simulated agents: the real TLS, handshake, codec and signatures, and nothing behind them, so
/// that thousands live in one process. May import Netty, Jackson by way of the API's client
/// (`loadtest.client`), and of Penstock only codec.
@NullMarked
package io.penstock.loadtest.fleet;

import org.jspecify.annotations.NullMarked;
