/// Peers of an agent for its tests: a certificate authority, a broker that keeps the protocol page
/// to the letter, a proxy.
@NullMarked
package io.penstock.agent.mock;

import org.jspecify.annotations.NullMarked;
