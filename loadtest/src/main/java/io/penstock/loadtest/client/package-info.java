/// A client of the public HTTP API and of invocations, as any program outside would write it. May
/// import Jackson, and of Penstock only what seals secrets (`codec.seal`, `codec.schema`).
@NullMarked
package io.penstock.loadtest.client;

import org.jspecify.annotations.NullMarked;
