package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Documents.Listed;
import io.penstock.broker.store.MessageTable.Content;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import io.penstock.codec.message.DeliveryMessage.Head;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.Messages;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Writes the messages of one agent, within one transaction: what they say is read when they go
/// out, so that an agent always hears the newest head.
final class Letters {
  /// Names, numbers and CBOR around head and document.
  private static final int AROUND_BYTES = 512;

  private static final int ROOM_BYTES = DeliveryMessage.MAX_BODY_BYTES - AROUND_BYTES;

  private final Documents documents;
  private final Tx tx;
  private final String agent;
  private @Nullable Map<String, Listed> listed;
  private @Nullable String head;
  private boolean headRead;

  Letters(Documents documents, Tx tx, String agent) {
    this.documents = documents;
    this.tx = tx;
    this.agent = agent;
  }

  /// Empty: the newest head does not list it, so that the agent would refuse it.
  Optional<Letter> write(Message message) {
    Content content = message.content();
    if (content.kind() == Kind.INSTRUCTION) {
      return Optional.of(
          new Letter(message.sequence(), Messages.encode(instruction(content)), Optional.empty()));
    }
    String system = content.system().orElseThrow();
    long version = content.version().orElseThrow();
    return isListed(system, version, content.kind() == Kind.REMOVAL)
        ? Optional.of(write(message, system, version))
        : Optional.empty();
  }

  private boolean isListed(String system, long version, boolean tombstone) {
    if (listed == null) {
      listed =
          documents.listed(tx, agent).stream()
              .collect(Collectors.toMap(Listed::system, Function.identity()));
    }
    Listed entry = listed.get(system);
    return entry != null && entry.version() == version && entry.tombstone() == tombstone;
  }

  private Letter write(Message message, String system, long version) {
    Optional<String> newest = head();
    boolean headFits = newest.map(String::length).orElse(0) <= ROOM_BYTES;
    String inBody = headFits ? newest.orElse(null) : null;
    int left = ROOM_BYTES - (inBody == null ? 0 : inBody.length());
    DeliveryMessage body =
        message.content().kind() == Kind.REMOVAL
            ? new Head(system, version, inBody)
            : new Configuration(system, version, inBody, document(system, version, left));
    return new Letter(
        message.sequence(), Messages.encode(body), headFits ? Optional.empty() : newest);
  }

  private Optional<String> head() {
    if (!headRead) {
      head = documents.head(tx, agent).orElse(null);
      headRead = true;
    }
    return Optional.ofNullable(head);
  }

  private @Nullable ConfigurationDocument document(String system, long version, int room) {
    return documents
        .document(tx, agent, system, version)
        .filter(document -> bytes(document) <= room)
        .orElse(null);
  }

  private static long bytes(ConfigurationDocument document) {
    byte[] sealed = document.sealed();
    return (long) document.header().length()
        + document.settings().length
        + (sealed == null ? 0 : sealed.length);
  }

  private static Instruction instruction(Content content) {
    String kind = content.instructionKind().orElseThrow();
    return new Instruction(
        content.instructionId().orElseThrow(),
        Arrays.stream(InstructionKind.values())
            .filter(known -> known.text().equals(kind))
            .findFirst()
            .orElseThrow(),
        content.system().orElse(null));
  }
}
