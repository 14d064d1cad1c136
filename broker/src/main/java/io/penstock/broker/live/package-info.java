/// The live feed: what changes in the fleet, told once a second to everybody who watches, each
/// within what they may see. Imports `broker.measure`, `broker.access` for scopes and rights,
/// `broker.store`, `broker.delivery`, `broker.systems`, `broker.alarms` and `broker.tunnel` for
/// what it looks at; knows no HTTP.
@NullMarked
package io.penstock.broker.live;

import org.jspecify.annotations.NullMarked;
