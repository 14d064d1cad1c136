/// A client of the public HTTP API and of invocations, as any program outside would write it. May
/// import Jackson; nothing of Penstock.
@NullMarked
package io.penstock.loadtest.client;

import org.jspecify.annotations.NullMarked;
