/// Watches the agent: data-path probes, a stuck event loop, Prometheus and health pages on
/// loopback. Imports `agent.link`'s view of its tunnels and Netty.
@NullMarked
package io.penstock.agent.health;

import org.jspecify.annotations.NullMarked;
