/// Dials brokers and keeps the tunnels: stages of a dial, handshake, enrollment, admission, unlock
/// rotation, drain, reconnect. Imports `agent.identity`, `codec` and Netty; knows what streams do
/// only through [StreamTarget].
@NullMarked
package io.penstock.agent.link;

import org.jspecify.annotations.NullMarked;
