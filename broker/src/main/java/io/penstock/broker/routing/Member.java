package io.penstock.broker.routing;

import java.util.List;

/// A session of a site.
///
/// @param told false until the agent has said what it serves
/// @param offers of which it is one
record Member(boolean told, List<Offer> offers) {
  Member {
    offers = List.copyOf(offers);
  }
}
