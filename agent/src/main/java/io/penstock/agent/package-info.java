/// agent.
@NullMarked
package io.penstock.agent;

import org.jspecify.annotations.NullMarked;
