/// Calls on-premise HTTP/1.1 systems: connection pool, strict gate for answers, deadlines,
/// back-pressure. Imports `agent.plugin`, `agent.link` for
/// its sockets' limits, `codec` and Netty; everything of a stream runs on its
/// tunnel's event loop.
@NullMarked
package io.penstock.agent.plugin.http;

import org.jspecify.annotations.NullMarked;
