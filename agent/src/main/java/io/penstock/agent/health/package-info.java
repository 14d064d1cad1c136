/// Watches the agent: data-path probes, a stuck event loop, Prometheus and health pages on
/// loopback. Imports `agent.link` for its view of the tunnels, `agent.config` for that of the
/// deployed systems, `agent.plugin` for its counters, and the JDK's HTTP server.
@NullMarked
package io.penstock.agent.health;

import org.jspecify.annotations.NullMarked;
