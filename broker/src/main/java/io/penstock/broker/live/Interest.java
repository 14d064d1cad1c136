package io.penstock.broker.live;

import java.util.Optional;
import java.util.Set;

/// What one stream is about.
///
/// @param agent empty = all that may be seen
public record Interest(Set<Topic> topics, Optional<String> agent) {
  public Interest {
    topics = Set.copyOf(topics);
  }

  boolean isIn(Event event) {
    return topics.contains(event.topic())
        && switch (event.audience()) {
          case EVERYBODY -> true;
          case OF_ALL -> agent.isEmpty();
          case OF_AGENT -> agent.isEmpty() || agent.get().equals(event.agent());
          case OF_AGENT_ONLY -> agent.isPresent() && agent.get().equals(event.agent());
        };
  }
}
