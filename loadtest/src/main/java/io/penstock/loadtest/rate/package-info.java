/// When requests are meant to start: pure arithmetic, without a clock. May import nothing but the
/// JDK.
@NullMarked
package io.penstock.loadtest.rate;

import org.jspecify.annotations.NullMarked;
