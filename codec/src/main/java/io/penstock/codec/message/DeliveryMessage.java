package io.penstock.codec.message;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The body of a MESSAGE: what the broker keeps until the agent's RECEIPT of the same sequence
/// (`docs/protocol.md`, section 6). At most [#MAX_BODY_BYTES].
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "t")
@JsonSubTypes({
  @JsonSubTypes.Type(value = DeliveryMessage.Configuration.class, name = "configuration"),
  @JsonSubTypes.Type(value = DeliveryMessage.Head.class, name = "head"),
  @JsonSubTypes.Type(value = DeliveryMessage.Instruction.class, name = "instruction"),
})
public sealed interface DeliveryMessage {
  /// A larger body would keep calls waiting: its parts travel on a credited stream of kind `config`
  /// and as CONTROL.
  int MAX_BODY_BYTES = 16 * 1024;

  /// Does this version know what is asked?
  @JsonIgnore
  default boolean isKnown() {
    return true;
  }

  /// A new version of a system.
  ///
  /// @param head the head manifest that lists it; null when it would make the body too large and
  ///     went ahead as a CONTROL message `head`
  /// @param document null when it would make the body too large: the agent fetches it
  record Configuration(
      String system, long version, @Nullable String head, @Nullable ConfigurationDocument document)
      implements DeliveryMessage {
    public Configuration {
      Expect.text("system", system, 63);
      Expect.fromOne("version", version);
    }
  }

  /// A system was removed: the head manifest lists its tombstone.
  ///
  /// @param head null when it would make the body too large and went ahead as CONTROL
  record Head(String system, long version, @Nullable String head) implements DeliveryMessage {
    public Head {
      Expect.text("system", system, 63);
      Expect.fromOne("version", version);
    }
  }

  /// Something to do once.
  ///
  /// @param id the same for every delivery of it
  /// @param generation whom it is for: an agent that was enrolled anew is another
  /// @param system the one it is about; null = the agent
  /// @param order of a wipe, the signed order, compact JWS
  record Instruction(
      String id,
      long generation,
      InstructionKind kind,
      @Nullable String system,
      @Nullable String order)
      implements DeliveryMessage {
    private static final int MAX_ORDER_CHARS = 4 * 1024;

    public Instruction {
      Expect.text("id", id, 64);
      Expect.fromOne("generation", generation);
      if (order != null) {
        Expect.text("order", order, MAX_ORDER_CHARS);
      }
      if (kind == null) {
        throw new IllegalArgumentException("kind: expected one, found none");
      }
    }

    @Override
    public boolean isKnown() {
      return kind != InstructionKind.UNKNOWN;
    }
  }

  enum InstructionKind {
    RESTART_PLUGIN("restart-plugin"),
    RECONNECT("reconnect"),
    COLLECT_DIAGNOSTICS("collect-diagnostics"),
    ROTATE_KEYS("rotate-keys"),
    WIPE("wipe"),
    /// Of a newer broker; never sent.
    UNKNOWN("unknown");

    private final String text;

    InstructionKind(String text) {
      this.text = text;
    }

    @JsonValue
    public String text() {
      return text;
    }

    @JsonCreator
    static InstructionKind fromText(String text) {
      return Arrays.stream(values())
          .filter(kind -> kind.text.equals(text))
          .findFirst()
          .orElse(UNKNOWN);
    }
  }
}
