/// The demo: the main job in one go, every step shown. May import the process harness, the API
/// client, `installation` and the example ERP of this module, and `codec.seal` to read tokens.
@NullMarked
package io.penstock.loadtest.demo;

import org.jspecify.annotations.NullMarked;
