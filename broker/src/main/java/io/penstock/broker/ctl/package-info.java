/// The operator's command line and `doctor`: they speak only the public HTTP API, like anybody
/// outside. May import codec, picocli and Jackson; nothing else of the broker.
@NullMarked
package io.penstock.broker.ctl;

import org.jspecify.annotations.NullMarked;
