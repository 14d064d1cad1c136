/// The main classes of the load module, started by the launcher. Loadtest drives Penstock from
/// outside and may import codec; never broker or agent.
@NullMarked
package io.penstock.loadtest;

import org.jspecify.annotations.NullMarked;
