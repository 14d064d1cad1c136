/// loadtest.
@NullMarked
package io.penstock.loadtest;

import org.jspecify.annotations.NullMarked;
