/// The agent's keys and the one file that keeps the unlock secret. Imports `codec.seal`,
/// `codec.noise` and Jackson; no sockets.
@NullMarked
package io.penstock.agent.identity;

import org.jspecify.annotations.NullMarked;
