/// Peers of an agent for its tests: a certificate authority, a broker that keeps the protocol page
/// to the letter, a proxy, systems on raw sockets.
@NullMarked
package io.penstock.agent.mock;

import org.jspecify.annotations.NullMarked;
