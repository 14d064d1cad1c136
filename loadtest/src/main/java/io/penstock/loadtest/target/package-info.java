/// The example ERP: an on-premise HTTP/1.1 system that is exact, fast, and misbehaves on request.
/// May import Netty; nothing of Penstock.
@NullMarked
package io.penstock.loadtest.target;

import org.jspecify.annotations.NullMarked;
