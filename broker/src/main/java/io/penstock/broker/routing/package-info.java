/// Which live session serves which system of which site. Imports `broker.tunnel`'s `LiveSession`
/// and `codec`.
@NullMarked
package io.penstock.broker.routing;

import org.jspecify.annotations.NullMarked;
