/// The one shape of an error document (RFC 9457). Front, edge and API each have a vocabulary of
/// their own errors and write them with it. Imports Jackson's string encoder only.
@NullMarked
package io.penstock.broker.problem;

import org.jspecify.annotations.NullMarked;
