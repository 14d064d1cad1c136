/// Broker, agent and example ERP as processes that can be started, signalled and killed. May import
/// nothing of Penstock.
@NullMarked
package io.penstock.loadtest.fault;

import org.jspecify.annotations.NullMarked;
