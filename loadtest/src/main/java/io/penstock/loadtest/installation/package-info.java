/// How a broker, an agent and an example ERP come to serve: started, enrolled, approved, granted.
/// For the demo, which shows each step, and the load harness, which wants the result. May import
/// the process harness, the API client and `network` of this module, Jackson, and `codec.seal` to
/// read tokens.
@NullMarked
package io.penstock.loadtest.installation;

import org.jspecify.annotations.NullMarked;
