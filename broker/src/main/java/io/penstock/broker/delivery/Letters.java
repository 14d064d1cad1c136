package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.delivery.Documents.Wanted;
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
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.WipeOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Writes messages, within one transaction: what they say is read when they go out, for all of them
/// together, so that an agent always hears the newest head.
final class Letters {
  /// Names, numbers and CBOR around head and document.
  private static final int AROUND_BYTES = 512;

  private static final int ROOM_BYTES = DeliveryMessage.MAX_BODY_BYTES - AROUND_BYTES;

  private final Function<WipeOrder, String> wipeOrders;
  private final Map<Addressee, Newest> newest;
  private final Map<Wanted, ConfigurationDocument> documents;

  /// What becomes of one message.
  sealed interface Written {
    /// It goes out.
    record Ready(Letter letter) implements Written {}

    /// The newest head does not list it, so that the agent would refuse it.
    record Superseded() implements Written {}

    /// Whether it still holds cannot be told: it waits.
    record Blocked() implements Written {}
  }

  /// Reads what `messages` are about.
  ///
  /// @param wipeOrders signs them by the record key of today: the one of the day they were given
  ///     may be retired
  Letters(
      Documents from, Tx tx, Collection<Message> messages, Function<WipeOrder, String> wipeOrders) {
    this.wipeOrders = wipeOrders;
    Collection<Message> ofSystems =
        messages.stream().filter(message -> message.content().kind() != Kind.INSTRUCTION).toList();
    newest =
        ofSystems.isEmpty()
            ? Map.of()
            : from.newest(
                tx, ofSystems.stream().map(Letters::addressee).collect(Collectors.toSet()));
    Collection<Wanted> wanted =
        ofSystems.stream()
            .filter(message -> message.content().kind() == Kind.CONFIGURATION)
            .map(Letters::wanted)
            .collect(Collectors.toSet());
    documents = wanted.isEmpty() ? Map.of() : from.documents(tx, wanted, ROOM_BYTES);
  }

  private static Addressee addressee(Message message) {
    return new Addressee(message.agent(), message.generation());
  }

  private static Wanted wanted(Message message) {
    return new Wanted(
        addressee(message),
        message.content().system().orElseThrow(),
        message.content().version().orElseThrow());
  }

  Written write(Message message) {
    Content content = message.content();
    if (content.kind() == Kind.INSTRUCTION) {
      return new Written.Ready(
          new Letter(message.sequence(), Messages.encode(instruction(message)), Optional.empty()));
    }
    return switch (newest.get(addressee(message))) {
      case Newest.Head head when lists(head, content) ->
          new Written.Ready(write(message, head.jws()));
      case Newest.Head _ -> new Written.Superseded();
      case Newest.Unanswerable _ -> new Written.Blocked();
      case null -> new Written.Blocked();
    };
  }

  private static boolean lists(Newest.Head head, Content content) {
    HeadManifest.Entry entry = head.systems().get(content.system().orElseThrow());
    return entry != null
        && content.version().equals(Optional.of(entry.version()))
        && entry instanceof HeadManifest.Tombstone == (content.kind() == Kind.REMOVAL);
  }

  private Letter write(Message message, Optional<String> newestHead) {
    Wanted name = wanted(message);
    boolean headFits = newestHead.map(String::length).orElse(0) <= ROOM_BYTES;
    String inBody = headFits ? newestHead.orElse(null) : null;
    int left = ROOM_BYTES - (inBody == null ? 0 : inBody.length());
    DeliveryMessage body =
        message.content().kind() == Kind.REMOVAL
            ? new Head(name.system(), name.version(), inBody)
            : new Configuration(name.system(), name.version(), inBody, document(name, left));
    return new Letter(
        message.sequence(), Messages.encode(body), headFits ? Optional.empty() : newestHead);
  }

  private @Nullable ConfigurationDocument document(Wanted name, int room) {
    ConfigurationDocument document = documents.get(name);
    return document != null && bytes(document) <= room ? document : null;
  }

  private static long bytes(ConfigurationDocument document) {
    byte[] sealed = document.sealed();
    return (long) document.header().length()
        + document.settings().length
        + (sealed == null ? 0 : sealed.length);
  }

  private Instruction instruction(Message message) {
    Content content = message.content();
    InstructionKind kind = kind(content.instructionKind().orElseThrow());
    String id = content.instructionId().orElseThrow();
    return new Instruction(
        id,
        message.generation(),
        kind,
        content.system().orElse(null),
        kind == InstructionKind.WIPE ? order(message, id) : null);
  }

  private static InstructionKind kind(String text) {
    return Arrays.stream(InstructionKind.values())
        .filter(known -> known.text().equals(text))
        .findFirst()
        .orElseThrow();
  }

  /// That somebody gave it stands under the row's MAC.
  private String order(Message message, String id) {
    return wipeOrders.apply(
        new WipeOrder(
            message.agent(), message.generation(), id, message.createdAt().getEpochSecond()));
  }
}
