package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.penstock.agent.config.ConfiguredAgent.Start;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.MockCloud;
import io.penstock.agent.mock.MockCloud.Draft;
import io.penstock.agent.mock.MockSession;
import io.penstock.agent.mock.TestCa;
import io.penstock.agent.plugin.Ceiling;
import io.penstock.agent.plugin.Plugin;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.OpenHead;
import io.penstock.codec.RequestHead;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.seal.WipeOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Deployed configurations from WELCOME or MESSAGE to calls and receipts, over a real tunnel.
@Timeout(120)
final class ConfigurationsTest {
  private static final String CANARY = "canary-password-7411";
  private static final String PASSWORD = "{\"password\":\"" + CANARY + "\"}";
  private static final String USER = "\"user\":\"svc\"";
  private static final String BASIC =
      "[Basic "
          + Base64.getEncoder().encodeToString(("svc:" + CANARY).getBytes(StandardCharsets.UTF_8))
          + "] []";

  @TempDir private Path parent;
  private Path directory;
  private MockBroker broker;
  private MockCloud cloud;
  private Plant plant;

  @BeforeEach
  void start() throws Exception {
    broker = new MockBroker(new TestCa("owner"));
    broker.approve();
    cloud = broker.cloud();
    directory = parent.resolve("data");
    plant = new Plant("one");
  }

  @AfterEach
  void stop() {
    plant.close();
    broker.close();
  }

  private ConfiguredAgent agent() throws Exception {
    return new ConfiguredAgent(Start.on(directory, broker));
  }

  private MockSession.Receipted deliver(MockSession session, long sequence, DeliveryMessage message)
      throws Exception {
    session.deliver(sequence, message);
    MockSession.Receipted receipt = session.awaitReceipt();
    assertThat(receipt.sequence()).isEqualTo(sequence);
    return receipt;
  }

  private Receipt signed(MockSession.Receipted receipted) {
    assertThat(receipted.body().receipt()).as("a signed receipt, found %s", receipted).isNotNull();
    return receipted.receipt(broker.signingKey());
  }

  private Receipt deploy(
      MockSession session,
      long sequence,
      String system,
      long version,
      String settings,
      @Nullable String secrets)
      throws Exception {
    ConfigurationDocument document = cloud.deploy(system, version, settings, secrets);
    boolean fits = document.settings().length < DeliveryMessage.MAX_BODY_BYTES / 2;
    return signed(
        deliver(
            session,
            sequence,
            fits
                ? cloud.message(system, version, document)
                : new DeliveryMessage.Configuration(system, version, cloud.head(), null)));
  }

  private static Reason reason(Receipt receipt) {
    assertThat(receipt.outcome()).isInstanceOf(Receipt.Refused.class);
    return ((Receipt.Refused) receipt.outcome()).reason();
  }

  private static String detail(Receipt receipt) {
    return ((Receipt.Refused) receipt.outcome()).detail();
  }

  private static void assertApplied(Receipt receipt) {
    assertThat(receipt.outcome()).isInstanceOf(Receipt.Applied.class);
  }

  private static MockSession live(MockSession session, String system, long version)
      throws Exception {
    session.awaitReport(
        report ->
            report.systems().stream()
                .anyMatch(
                    it ->
                        it.system().equals(system)
                            && it.version() == version
                            && it.state() == State.LIVE));
    return session;
  }

  /// Until `holds`, at most 20 s.
  private static void await(BooleanSupplier holds) throws Exception {
    long untilNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    var never = new CountDownLatch(1);
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(untilNanos);
      assertThat(never.await(20, TimeUnit.MILLISECONDS)).isFalse();
    }
  }

  // Applied.

  @Test
  void appliesWhatIsDeployedAndProvesIt() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument document = cloud.deploy("erp", 1, plant.settings(USER), PASSWORD);
      Receipt receipt = signed(deliver(session, 7, cloud.message("erp", 1, document)));

      assertApplied(receipt);
      assertThat(receipt.agent()).isEqualTo(MockBroker.AGENT);
      assertThat(receipt.generation()).isEqualTo(1);
      assertThat(receipt.headerSha256()).isEqualTo(ConfigurationHeader.hashOf(document.header()));
      assertThat(Caller.get(session, "erp")).isEqualTo("200 one");
      assertThat(session.rules().orElseThrow().systems().getFirst().live()).isTrue();
      session.awaitReport(
          it ->
              it.systems().stream()
                  .anyMatch(each -> each.state() == State.LIVE && each.floor() == 1));
    }
  }

  @Test
  void sendsItsOwnCredentialsInPlaceOfTheCallers() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      Caller.get(session, "erp", "authorization", "Bearer of-the-caller");
      deploy(
          session,
          2,
          "erp",
          2,
          plant.settings("\"header_name\":\"X-API-Key\""),
          "{\"header_value\":\"key-1\"}");
      Caller.get(session, "erp", "authorization", "Bearer mine", "x-api-key", "forged");
      deploy(session, 3, "erp", 3, plant.settings(), "{\"bearer_token\":\"token-1\"}");
      Caller.get(session, "erp", "authorization", "Bearer mine");

      assertThat(plant.credentials())
          .containsExactly(BASIC, "[Bearer mine] [key-1]", "[Bearer token-1] []");
    }
  }

  @Test
  void fetchesADocumentThatIsTooLargeForItsMessage() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      String padding = " ".repeat(600_000);
      ConfigurationDocument document = cloud.deploy("erp", 1, plant.settings() + padding, null);
      session.send(new ControlMessage.Head(cloud.head()));
      Receipt receipt =
          signed(deliver(session, 1, new DeliveryMessage.Configuration("erp", 1, null, null)));

      assertApplied(receipt);
      assertThat(receipt.headerSha256()).isEqualTo(ConfigurationHeader.hashOf(document.header()));
      assertThat(Caller.get(session, "erp")).isEqualTo("200 one");
    }
  }

  @Test
  void servesEverySystemAgainAfterARestartFromNothingOnDisk() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      for (int i = 0; i < 20; i++) {
        deploy(session, i + 1, "erp-" + i, 1, plant.settings(USER), PASSWORD);
      }
    }
    assertThatNothingOnDiskHolds(CANARY);

    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      long admittedNanos = System.nanoTime();
      session.awaitReport(
          it ->
              it.systems().size() == 20
                  && it.systems().stream().allMatch(each -> each.state() == State.LIVE));

      assertThat(Duration.ofNanos(System.nanoTime() - admittedNanos))
          .isLessThan(Duration.ofSeconds(3));
      assertThat(broker.stateDigest()).contains(cloud.manifest(MockBroker.AGENT).stateDigest());
      assertThat(Caller.get(session, "erp-19")).isEqualTo("200 one");
      assertThat(session.hasReceipt()).isFalse();
    }
  }

  private void assertThatNothingOnDiskHolds(String secret) throws Exception {
    try (var files = Files.walk(directory)) {
      List<Path> all = files.filter(Files::isRegularFile).toList();
      assertThat(all).extracting(it -> it.getFileName().toString()).contains("identity", "state");
      for (Path file : all) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .doesNotContain(secret)
            .doesNotContain(
                Base64.getEncoder().encodeToString(secret.getBytes(StandardCharsets.UTF_8)));
      }
    }
  }

  @Test
  void theSameVersionTwiceHasOneEffect() throws Exception {
    var starts = new AtomicInteger();
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).withPlugin(idle(starts)))) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument document = cloud.deploy("erp", 1, plant.settings(), null);
      Receipt first = signed(deliver(session, 1, cloud.message("erp", 1, document)));
      Receipt second = signed(deliver(session, 2, cloud.message("erp", 1, document)));

      assertApplied(first);
      assertApplied(second);
      assertThat(second.headerSha256()).isEqualTo(first.headerSha256());
      assertThat(starts).hasValue(1);
    }
  }

  @Test
  void aRunningStreamFinishesOnTheOldInstanceAndNewOnesTakeTheNew() throws Exception {
    try (var _ = agent();
        var second = new Plant("two")) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      plant.hold();
      CompletableFuture<String> running = Caller.begin(session, "erp");
      plant.awaitCall();
      deploy(session, 2, "erp", 2, second.settings(), null);

      assertThat(Caller.get(session, "erp")).isEqualTo("200 two");
      assertThat(running).isNotDone();
      plant.release();
      assertThat(running.get(10, TimeUnit.SECONDS)).isEqualTo("200 one");
    }
  }

  @Test
  void aRemovedSystemIsGoneAndNeverComesBackAtAnOldVersion() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument old = cloud.deploy("erp", 1, plant.settings(), null);
      deliver(session, 1, cloud.message("erp", 1, old));
      cloud.remove("erp", 2);
      Receipt removed =
          signed(deliver(session, 2, new DeliveryMessage.Head("erp", 2, cloud.head())));

      assertApplied(removed);
      assertThat(removed.headerSha256()).isEqualTo(ConfigurationHeader.NOTHING_BEFORE);
      assertThat(Caller.get(session, "erp")).isEqualTo("RESET UNKNOWN_TARGET");
      assertThat(reason(signed(deliver(session, 3, cloud.message("erp", 1, old)))))
          .isEqualTo(Reason.ROLLBACK);
    }
  }

  // Refused.

  enum Refused {
    TOO_LARGE(Reason.TOO_LARGE),
    FOREIGN_SIGNER(Reason.BAD_SIGNATURE),
    FLIPPED_BIT(Reason.BAD_SIGNATURE),
    ALG_NONE(Reason.BAD_SIGNATURE),
    ANOTHER_TYP(Reason.BAD_SIGNATURE),
    WRONG_AGENT(Reason.WRONG_AGENT),
    WRONG_GENERATION(Reason.WRONG_GENERATION),
    WRONG_SYSTEM(Reason.WRONG_SYSTEM),
    ROLLBACK(Reason.ROLLBACK),
    NOT_LISTED(Reason.NOT_LISTED),
    OTHER_SETTINGS(Reason.HASH_MISMATCH),
    NO_SECRETS(Reason.HASH_MISMATCH),
    WRAP_OF_ANOTHER(Reason.UNOPENABLE),
    SEALED_FOR_ANOTHER_SYSTEM(Reason.UNOPENABLE),
    SEALED_FOR_ANOTHER_DESTINATION(Reason.UNOPENABLE),
    FALSE_COMMITMENT(Reason.COMMITMENT_MISMATCH),
    FLIPPED_CIPHERTEXT(Reason.HASH_MISMATCH),
    UNKNOWN_PLUGIN(Reason.UNKNOWN_PLUGIN),
    SCHEMA(Reason.SCHEMA_INVALID),
    SECRET_OF_TWO_LINES(Reason.SCHEMA_INVALID),
    NEW_DESTINATION(Reason.DESTINATION_WITHOUT_SECRETS),
    MISSING_REFERENCE(Reason.MISSING_SECRET_REFERENCE),
    DOES_NOT_START(Reason.START_FAILED),
    FORGED_HEAD(Reason.BAD_SIGNATURE),
    HEAD_OF_ANOTHER_GENERATION(Reason.WRONG_GENERATION),
    HEAD_OF_AN_INCARNATION_THAT_THE_ROOT_DID_NOT_SIGN(Reason.BAD_SIGNATURE),
    SAME_VERSION_OTHER_DOCUMENT(Reason.ROLLBACK);

    private final Reason reason;

    Refused(Reason reason) {
      this.reason = reason;
    }
  }

  /// What arrives; version 2 of a system `erp` whose version 1 serves.
  private DeliveryMessage broken(Refused how, ConfigurationDocument first) throws Exception {
    Draft fine = Draft.of("erp", 2, plant.settings(USER), PASSWORD);
    return switch (how) {
      case TOO_LARGE -> listed(withSettings(cloud.make(fine), new byte[1_048_577]));
      case FOREIGN_SIGNER ->
          listed(cloud.make(fine.signedBy(SigningKey.generate(new SecureRandom()))));
      case FLIPPED_BIT -> listed(withHeader(cloud.make(fine), flipped(cloud.make(fine).header())));
      case ALG_NONE ->
          listed(
              withHeader(
                  cloud.make(fine),
                  reheaded(cloud.make(fine).header(), "\"alg\":\"none\"", "\"alg\":\"EdDSA\"")));
      case ANOTHER_TYP -> listed(withHeader(cloud.make(fine), cloud.head()));
      case WRONG_AGENT -> listed(cloud.make(fine.forAgent("plant-8")));
      case WRONG_GENERATION -> listed(cloud.make(fine.forGeneration(2)));
      case WRONG_SYSTEM -> listed(cloud.make(fine.forSystem("mes")));
      case ROLLBACK -> {
        cloud.list("erp", 1, cloud.make(Draft.of("erp", 1, plant.settings(), null)));
        yield cloud.message("erp", 1, cloud.fetched("erp", 1));
      }
      case NOT_LISTED -> cloud.message("erp", 2, cloud.make(fine));
      case OTHER_SETTINGS ->
          listed(
              withSettings(
                  cloud.make(fine),
                  plant.settings(USER, "\"idle_ms\":1").getBytes(StandardCharsets.UTF_8)));
      case NO_SECRETS -> listed(withSealed(cloud.make(fine), null));
      case WRAP_OF_ANOTHER -> listed(wrapOfAnother(fine));
      case SEALED_FOR_ANOTHER_SYSTEM ->
          listed(
              cloud.carrying(fine, cloud.make(Draft.of("mes", 1, plant.settings(USER), PASSWORD))));
      case SEALED_FOR_ANOTHER_DESTINATION ->
          listed(
              cloud.carrying(
                  fine,
                  cloud.make(
                      Draft.of(
                          "erp",
                          2,
                          plant.settings(USER).replace("127.0.0.1", "evil.example"),
                          PASSWORD))));
      case FALSE_COMMITMENT -> listed(cloud.falselyCommitted(fine));
      case FLIPPED_CIPHERTEXT -> listed(flippedCiphertext(fine));
      case HEAD_OF_ANOTHER_GENERATION -> {
        HeadManifest own = cloud.manifest(MockBroker.AGENT);
        var other =
            new HeadManifest(
                own.agent(),
                2,
                own.incarnation(),
                own.sequence() + 1,
                own.issuedAtEpochSeconds(),
                own.expiresAtEpochSeconds(),
                own.systems());
        yield new DeliveryMessage.Configuration("erp", 2, cloud.sign(other), cloud.make(fine));
      }
      case HEAD_OF_AN_INCARNATION_THAT_THE_ROOT_DID_NOT_SIGN -> {
        HeadManifest own = cloud.manifest(MockBroker.AGENT);
        var other =
            new HeadManifest(
                own.agent(),
                own.generation(),
                own.incarnation() + 1,
                1,
                own.issuedAtEpochSeconds(),
                own.expiresAtEpochSeconds(),
                own.systems());
        yield new DeliveryMessage.Configuration("erp", 2, cloud.sign(other), cloud.make(fine));
      }
      case SAME_VERSION_OTHER_DOCUMENT -> {
        ConfigurationDocument other = cloud.make(Draft.of("erp", 1, plant.settings(), null));
        cloud.list("erp", 1, other);
        yield cloud.message("erp", 1, other);
      }
      case UNKNOWN_PLUGIN ->
          listed(cloud.make(Draft.of("erp", 2, "{}", null).withPlugin("modbus")));
      case SCHEMA ->
          listed(cloud.make(Draft.of("erp", 2, plant.settings("\"colour\":\"red\""), null)));
      case SECRET_OF_TWO_LINES ->
          listed(
              cloud.make(
                  Draft.of(
                      "erp", 2, plant.settings(USER), "{\"password\":\"" + CANARY + "\\nx\"}")));
      case NEW_DESTINATION ->
          listed(
              cloud.carrying(
                  Draft.of(
                      "erp", 2, plant.settings(USER).replace("127.0.0.1", "evil.example"), null),
                  first));
      case MISSING_REFERENCE ->
          listed(
              cloud.make(
                  Draft.of("erp", 2, plant.settings(USER), "{\"password\":\"${secret:erp}\"}")));
      case DOES_NOT_START ->
          listed(
              cloud.make(
                  Draft.of("erp", 2, plant.settings("\"ca_file\":\"/does/not/exist\""), null)));
      case FORGED_HEAD ->
          new DeliveryMessage.Configuration(
              "erp", 2, cloud.forgedHead(), cloud.list("erp", 2, cloud.make(fine)));
    };
  }

  /// Fetched, because some are too large for a message.
  private DeliveryMessage listed(ConfigurationDocument document) {
    cloud.list("erp", 2, document);
    return new DeliveryMessage.Configuration("erp", 2, cloud.head(), null);
  }

  private static ConfigurationDocument withSettings(ConfigurationDocument of, byte[] settings) {
    return document(of.header(), settings, of.sealed());
  }

  private static ConfigurationDocument withHeader(ConfigurationDocument of, String header) {
    return document(header, of.settings(), of.sealed());
  }

  private static ConfigurationDocument withSealed(
      ConfigurationDocument of, byte @Nullable [] sealed) {
    return document(of.header(), of.settings(), sealed);
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the array may be null
  private static ConfigurationDocument document(
      String header, byte[] settings, byte @Nullable [] sealed) {
    return new ConfigurationDocument(header, settings, sealed);
  }

  private static String flipped(String jws) {
    int at = jws.lastIndexOf('.') + 20;
    return jws.substring(0, at) + (jws.charAt(at) == 'A' ? 'B' : 'A') + jws.substring(at + 1);
  }

  private static String reheaded(String jws, String now, String before) {
    int dot = jws.indexOf('.');
    String head =
        new String(Base64.getUrlDecoder().decode(jws.substring(0, dot)), StandardCharsets.UTF_8);
    return Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(head.replace(before, now).getBytes(StandardCharsets.UTF_8))
        + jws.substring(dot);
  }

  /// The header and ciphertext of one document, the wraps of another: wraps are not signed.
  private ConfigurationDocument wrapOfAnother(Draft draft) throws Exception {
    var json = new ObjectMapper();
    ConfigurationDocument own = cloud.make(draft);
    ConfigurationDocument other = cloud.make(draft);
    var sealed = (com.fasterxml.jackson.databind.node.ObjectNode) json.readTree(own.sealed());
    sealed.set("wraps", json.readTree(other.sealed()).path("wraps"));
    return withSealed(own, json.writeValueAsBytes(sealed));
  }

  private ConfigurationDocument flippedCiphertext(Draft draft) throws Exception {
    var json = new ObjectMapper();
    ConfigurationDocument own = cloud.make(draft);
    var sealed = (com.fasterxml.jackson.databind.node.ObjectNode) json.readTree(own.sealed());
    String text = sealed.path("ciphertext").asText();
    sealed.put("ciphertext", (text.charAt(0) == 'A' ? 'B' : 'A') + text.substring(1));
    return withSealed(own, json.writeValueAsBytes(sealed));
  }

  @ParameterizedTest
  @EnumSource(Refused.class)
  void refusesWithTheRightReasonAndTheOldVersionServesOn(Refused how) throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument first = cloud.deploy("erp", 1, plant.settings(USER), PASSWORD);
      assertApplied(signed(deliver(session, 1, cloud.message("erp", 1, first))));
      Receipt refused = signed(deliver(session, 2, broken(how, first)));

      assertThat(reason(refused)).as(detail(refused)).isEqualTo(how.reason);
      assertThat(detail(refused)).doesNotContain(CANARY);
      assertThat(Caller.get(session, "erp")).isEqualTo("200 one");
      assertThat(plant.credentials()).containsExactly(BASIC);
      assertThat(agent.configurations().statuses().getFirst().held().version()).isEqualTo(1);
      assertThat(agent.configurations().statuses().getFirst().state()).isEqualTo(State.LIVE);

      session.cut();
      assertThat(Caller.get(broker.awaitAdmitted(), "erp")).isEqualTo("200 one");
    }
  }

  @Test
  void aBadVersionLeavesTheOtherSystemsServingAfterARestart() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "mes", 1, plant.settings(), null);
      deploy(session, 2, "erp", 1, plant.settings(), null);
      deploy(session, 3, "erp", 2, plant.settings("\"colour\":\"red\""), null);
    }
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      // One report may tell both.
      session.awaitReport(
          it ->
              it.systems().stream()
                      .anyMatch(
                          each ->
                              each.system().equals("erp")
                                  && each.version() == 2
                                  && each.state() == State.FAILED
                                  && each.floor() == 1)
                  && it.systems().stream()
                      .anyMatch(each -> each.system().equals("mes") && each.state() == State.LIVE));
      assertThat(Caller.get(session, "mes")).isEqualTo("200 one");
    }
  }

  @Test
  void anExpiredHeadStopsNothingAndNothingIsAppliedByIt() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(), null);
      cloud.headsExpireIn(-1);
      Receipt refused = deploy(session, 2, "erp", 2, plant.settings(), null);

      assertThat(reason(refused)).isEqualTo(Reason.NOT_LISTED);
      assertThat(detail(refused)).contains("expired");
      assertThat(agent.configurations().isStale()).isTrue();
      assertThat(Caller.get(session, "erp")).isEqualTo("200 one");

      cloud.headsExpireIn(3600);
      session.send(new ControlMessage.Head(cloud.head()));
      await(() -> !agent.configurations().isStale());
    }
  }

  @Test
  void anOlderHeadDoesNotReplaceANewerOne() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      cloud.deploy("erp", 1, plant.settings(), null);
      String old = cloud.head();
      deploy(session, 1, "erp", 2, plant.settings(), null);
      long sequence = agent.configurations().sequence();
      Receipt refused =
          signed(deliver(session, 2, new DeliveryMessage.Configuration("erp", 1, old, null)));

      assertThat(reason(refused)).isEqualTo(Reason.ROLLBACK);
      assertThat(agent.configurations().sequence()).isEqualTo(sequence);
    }
  }

  // State.

  @ParameterizedTest
  @EnumSource(names = {"CONFIGURATION_AFTER_SWAP", "CONFIGURATION_AFTER_STATE"})
  void appliesOnceMoreWhatACrashLeftWithoutAReceipt(Failpoint at) throws Exception {
    DeliveryMessage message;
    try (var _ = agent()) {
      broker.awaitAdmitted();
    }
    try (var agent = new ConfiguredAgent(Start.on(directory, broker).crashingAt(at))) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument document = cloud.deploy("erp", 1, plant.settings(), null);
      message = cloud.message("erp", 1, document);
      session.deliver(1, message);
      agent.awaitCrash();
      assertThat(session.hasReceipt()).isFalse();
    }
    var starts = new AtomicInteger();
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).withPlugin(idle(starts)))) {
      MockSession session = live(broker.awaitAdmitted(), "erp", 1);

      assertApplied(signed(deliver(session, 1, message)));
      assertThat(starts).hasValue(1);
    }
  }

  @Test
  void doesNotStartWithAStateFileOfAnother() throws Exception {
    try (var _ = agent()) {
      deploy(broker.awaitAdmitted(), 1, "erp", 1, plant.settings(), null);
    }
    Path file = directory.resolve("state");
    byte[] content = Files.readAllBytes(file);
    content[content.length - 3] ^= 1;
    Files.write(file, content);

    assertThatThrownBy(this::agent)
        .isInstanceOf(IdentityException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("delete it");
    assertThat(Files.readAllBytes(file)).isEqualTo(content);
  }

  @Test
  void refusesARollbackAfterARestart() throws Exception {
    try (var _ = agent()) {
      deploy(broker.awaitAdmitted(), 1, "erp", 5, plant.settings(), null);
    }
    cloud.deploy("erp", 4, plant.settings(), null);
    try (var agent = agent()) {
      broker.awaitAdmitted();
      await(
          () ->
              agent.configurations().statuses().stream()
                  .anyMatch(
                      it -> it.problem().filter(text -> text.startsWith("rollback")).isPresent()));
    }
  }

  // The owner's word.

  @Test
  void aSystemOfTheLocalFileStaysTheOwners() throws Exception {
    try (var second = new Plant("local");
        var _ =
            new ConfiguredAgent(
                Start.on(directory, broker)
                    .withLocal(
                        new SystemDefinition(
                            "erp",
                            "http",
                            new ObjectMapper()
                                .readTree(
                                    "{\"base_url\":\"http://127.0.0.1:" + second.port() + "\"}"),
                            List.of(new Allow(List.of("GET"), List.of("/**"))))))) {
      MockSession session = broker.awaitAdmitted();
      Receipt refused = deploy(session, 1, "erp", 1, plant.settings(), null);

      assertThat(reason(refused)).isEqualTo(Reason.START_FAILED);
      assertThat(detail(refused)).contains("erp").contains("agent.yaml");
      assertThat(Caller.get(session, "erp")).isEqualTo("200 local");
    }
  }

  @Test
  void aDeployedConfigurationCannotExceedTheCeiling() throws Exception {
    try (var _ =
        new ConfiguredAgent(
            Start.on(directory, broker)
                .under(
                    new Ceiling(
                        "erp", List.of(new Allow(List.of("GET"), List.of("/api/items/**"))))))) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(), null);
      deploy(session, 2, "mes", 1, plant.settings(), null);

      assertThat(Caller.get(session, "erp")).isEqualTo("RESET NOT_EXPOSED");
      assertThat(Caller.get(session, "mes")).isEqualTo("RESET NOT_EXPOSED");
      assertThat(session.rules().orElseThrow().systems().getFirst().allow())
          .containsExactly(new Allow(List.of("GET"), List.of("/api/items/**")));
      assertThat(session.rules().orElseThrow().systems().get(1).allow()).isEmpty();
    }
  }

  @Test
  void refusesAVersionWhoseDocumentTheBrokerDoesNotHave() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      Receipt refused =
          signed(deliver(session, 1, new DeliveryMessage.Configuration("erp", 9, null, null)));

      assertThat(reason(refused)).isEqualTo(Reason.NOT_LISTED);
      assertThat(detail(refused)).contains("no document of version 9");
    }
  }

  @Test
  void refusesRulesThatNoMessageCouldTell() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      var paths = new ArrayList<String>();
      for (int i = 0; i < 256; i++) {
        paths.add("\"/" + i + "x".repeat(1_000) + "\"");
      }
      Receipt refused =
          deploy(
              session,
              1,
              "erp",
              1,
              plant.settings().replace("\"/api/**\"", String.join(",", paths)),
              null);

      assertThat(reason(refused)).isEqualTo(Reason.START_FAILED);
      assertThat(detail(refused)).startsWith("allow: expected rules");
      assertThat(session.whenGone()).isNotDone();
    }
  }

  @Test
  void forgetsEverythingAfterALostSessionIfTheOwnerWantsIt() throws Exception {
    var settings =
        Start.settings(
            Optional.empty(), Map.of(), Optional.empty(), Optional.of(Duration.ofMillis(300)));
    try (var agent = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      int fetched = cloud.fetches();
      broker.refuseWith(ErrorCode.UNAVAILABLE, 100);
      session.cut();
      await(() -> agent.configurations().statuses().getFirst().state() == State.PENDING);
      broker.refuseWith(null, 0);

      assertThat(Caller.get(live(broker.awaitAdmitted(), "erp", 1), "erp")).isEqualTo("200 one");
      assertThat(cloud.fetches()).isEqualTo(fetched + 1);
    }
  }

  @Test
  void whatWasPreparedWhileEverythingWasForgottenDoesNotServe() throws Exception {
    var plugin = new SlowPlugin("erp");
    var settings =
        Start.settings(
            Optional.empty(), Map.of(), Optional.empty(), Optional.of(Duration.ofMillis(300)));
    try (var agent =
        new ConfiguredAgent(Start.on(directory, broker).with(settings).withPlugin(plugin))) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "mes", 1, plant.settings(), null);
      ConfigurationDocument erp = cloud.deploy("erp", 1, plant.settings(USER), PASSWORD);
      session.deliver(2, cloud.message("erp", 1, erp));
      plugin.awaitStart();
      broker.refuseWith(ErrorCode.UNAVAILABLE, 100);
      session.cut();
      await(() -> state(agent, "mes") == State.PENDING);
      plugin.release();

      await(() -> plugin.closed().contains("erp"));
      assertThat(state(agent, "erp")).isNotEqualTo(State.LIVE);

      broker.refuseWith(null, 0);
      live(broker.awaitAdmitted(), "erp", 1);
      assertThat(plugin.closed()).containsExactlyInAnyOrder("mes", "erp");
    } finally {
      plugin.release();
    }
  }

  private static @Nullable State state(ConfiguredAgent agent, String system) {
    return agent.configurations().statuses().stream()
        .filter(it -> it.system().equals(system))
        .map(SystemStatus::state)
        .findFirst()
        .orElse(null);
  }

  @Test
  void whatWasPreparedWhileTheAgentWasWipedIsDiscarded() throws Exception {
    var plugin = new SlowPlugin("erp");
    try (var agent = new ConfiguredAgent(Start.on(directory, broker).withPlugin(plugin))) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument erp = cloud.deploy("erp", 1, plant.settings(USER), PASSWORD);
      session.deliver(1, cloud.message("erp", 1, erp));
      plugin.awaitStart();
      broker.revoke(session);
      assertThat(agent.awaitEnd()).contains("revoked");
      plugin.release();

      await(() -> plugin.closed().contains("erp"));
      assertThat(agent.configurations().statuses()).isEmpty();
    } finally {
      plugin.release();
    }
  }

  @Test
  void keepsServingAfterALostSessionOtherwise() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      int fetched = cloud.fetches();
      session.cut();

      assertThat(Caller.get(broker.awaitAdmitted(), "erp")).isEqualTo("200 one");
      assertThat(cloud.fetches()).isEqualTo(fetched);
    }
  }

  @Test
  void aRevocationWipesMemoryAndState() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      assertThat(directory.resolve("state")).exists();
      broker.revoke(session);

      assertThat(agent.awaitEnd()).contains("revoked");
      assertThat(agent.configurations().statuses()).isEmpty();
      assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
    }
  }

  // References.

  @Test
  void looksUpTheOwnersSecretsWhereTheyAre() throws Exception {
    Path secrets = Files.createDirectory(parent.resolve("secrets"));
    Files.writeString(secrets.resolve("erp"), CANARY + "\n");
    var settings =
        Start.settings(
            Optional.of(secrets),
            Map.of("PENSTOCK_SECRET_ERP_USER", "svc"),
            Optional.empty(),
            Optional.empty());
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
      MockSession session = broker.awaitAdmitted();
      Receipt receipt =
          deploy(
              session,
              1,
              "erp",
              1,
              plant.settings("\"header_name\":\"X-API-Key\"", USER),
              "{\"password\":\"${secret:erp}\",\"header_value\":\"by ${secret:erp-user}\"}");
      assertApplied(receipt);
      Caller.get(session, "erp");
      Files.writeString(secrets.resolve("erp"), "rotated");
      await(
          () -> {
            try {
              Caller.get(session, "erp");
            } catch (Exception broken) {
              throw new IllegalStateException(broken);
            }
            return !plant.credentials().getLast().startsWith(BASIC.substring(0, 20));
          });

      String rotated =
          Base64.getEncoder().encodeToString("svc:rotated".getBytes(StandardCharsets.UTF_8));
      assertThat(plant.credentials().getFirst()).isEqualTo(BASIC.replace("[]", "[by svc]"));
      assertThat(plant.credentials().getLast()).isEqualTo("[Basic " + rotated + "] [by svc]");
    }
    assertThatNothingOnDiskHolds(CANARY);
  }

  @Test
  void namesAMissingReferenceAndTriesAgainAtAStart() throws Exception {
    Path secrets = Files.createDirectory(parent.resolve("secrets"));
    var settings =
        Start.settings(Optional.of(secrets), Map.of(), Optional.empty(), Optional.empty());
    String password = "{\"password\":\"" + CANARY + "${secret:erp}\"}";
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
      Receipt refused = deploy(broker.awaitAdmitted(), 1, "erp", 1, plant.settings(USER), password);

      assertThat(reason(refused)).isEqualTo(Reason.MISSING_SECRET_REFERENCE);
      assertThat(detail(refused)).contains("${secret:erp}").doesNotContain(CANARY);
    }
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
      MockSession session = broker.awaitAdmitted();
      session.awaitReport(
          it -> it.systems().stream().anyMatch(each -> each.state() == State.FAILED));
      Files.writeString(secrets.resolve("erp"), "!");
      live(session, "erp", 1);
    }
  }

  @Test
  void noReferenceMakesAnAddressOrARule() throws Exception {
    var settings =
        Start.settings(
            Optional.empty(),
            Map.of("PENSTOCK_SECRET_X", CANARY),
            Optional.empty(),
            Optional.empty());
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
      MockSession session = broker.awaitAdmitted();
      Receipt address =
          deploy(
              session,
              1,
              "erp",
              1,
              plant.settings().replace("127.0.0.1", "${secret:x}.example"),
              null);
      Receipt rule =
          deploy(session, 2, "mes", 1, plant.settings().replace("/api", "/${secret:x}"), null);
      Receipt notAName =
          deploy(session, 3, "plc", 1, plant.settings(USER), "{\"password\":\"${secret:../x}\"}");

      for (Receipt refused : List.of(address, rule, notAName)) {
        assertThat(reason(refused)).isEqualTo(Reason.SCHEMA_INVALID);
        assertThat(detail(refused)).contains("reference").doesNotContain(CANARY);
      }
    }
  }

  private static Optional<ConfigurationSettings.Vault> at(FakeVault vault, Path secretId) {
    return Optional.of(
        new ConfigurationSettings.Vault(
            vault.address(), FakeVault.ROLE, secretId, Optional.empty()));
  }

  @Test
  void readsVaultAndFollowsItsRotation() throws Exception {
    Path secretId = Files.writeString(parent.resolve("secret-id"), FakeVault.SECRET_ID + "\n");
    try (var vault = new FakeVault()) {
      vault.put("kv/plant/erp", "token", "first");
      vault.lease(1);
      var settings =
          Start.settings(Optional.empty(), Map.of(), at(vault, secretId), Optional.empty());
      try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
        MockSession session = broker.awaitAdmitted();
        Receipt receipt =
            deploy(
                session,
                1,
                "erp",
                1,
                plant.settings(),
                "{\"bearer_token\":\"${vault:kv/plant/erp#token}\"}");
        assertApplied(receipt);
        assertThat(Caller.get(session, "erp")).isEqualTo("200 one");
        await(() -> vault.log().contains("POST auth/token/renew-self"));
        vault.revokeTokens();
        vault.put("kv/plant/erp", "token", "second");
        await(
            () -> {
              try {
                Caller.get(session, "erp");
              } catch (Exception broken) {
                throw new IllegalStateException(broken);
              }
              return plant.credentials().getLast().contains("second");
            });

        assertThat(plant.credentials().getFirst()).isEqualTo("[Bearer first] []");
        assertThat(vault.log()).filteredOn(it -> it.endsWith("login")).hasSizeGreaterThan(1);
      }
    }
    assertThatNothingOnDiskHolds(FakeVault.SECRET_ID);
  }

  @Test
  void saysWhatIsMissingInVault() throws Exception {
    Path secretId = Files.writeString(parent.resolve("secret-id"), "wrong");
    try (var vault = new FakeVault()) {
      var settings =
          Start.settings(Optional.empty(), Map.of(), at(vault, secretId), Optional.empty());
      try (var _ = new ConfiguredAgent(Start.on(directory, broker).with(settings))) {
        MockSession session = broker.awaitAdmitted();
        String secrets = "{\"bearer_token\":\"${vault:kv/erp#token}\"}";
        Receipt login = deploy(session, 1, "erp", 1, plant.settings(), secrets);
        Files.writeString(secretId, FakeVault.SECRET_ID);
        Receipt path = deploy(session, 2, "erp", 2, plant.settings(), secrets);
        vault.seal(true);
        Receipt sealed = deploy(session, 3, "erp", 3, plant.settings(), secrets);

        assertThat(List.of(reason(login), reason(path), reason(sealed)))
            .containsOnly(Reason.MISSING_SECRET_REFERENCE);
        assertThat(detail(login)).contains("${vault:kv/erp#token}", "AppRole login", "400");
        assertThat(detail(path)).contains("${vault:kv/erp#token}", "there is none");
        assertThat(detail(sealed)).contains("503");
      }
    }
  }

  // Instances that fail, instructions, tests.

  /// Counts its starts and answers nothing.
  private static Plugin idle(AtomicInteger starts) {
    return new FakePlugin(starts, () -> {});
  }

  /// Stands in for `http`; each call runs `called`.
  private record FakePlugin(AtomicInteger starts, Runnable called) implements Plugin {
    @Override
    public String name() {
      return "http";
    }

    @Override
    public SystemInstance start(
        SystemDefinition definition, EventLoop loop, Class<? extends Channel> channelType) {
      starts.incrementAndGet();
      return new SystemInstance() {
        @Override
        public StreamListener open(
            OpenHead head, RequestHead request, boolean end, MuxStream stream) {
          called.run();
          throw new IllegalStateException(CANARY);
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public List<TestStage> test(SystemDefinition definition) {
      return List.of();
    }
  }

  /// Stands in for `http`; the start of one system waits for the test.
  private static final class SlowPlugin implements Plugin {
    private final String slow;
    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch gate = new CountDownLatch(1);
    private final List<String> closed = new CopyOnWriteArrayList<>();

    SlowPlugin(String slow) {
      this.slow = slow;
    }

    void awaitStart() throws InterruptedException {
      assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();
    }

    void release() {
      gate.countDown();
    }

    List<String> closed() {
      return List.copyOf(closed);
    }

    @Override
    public String name() {
      return "http";
    }

    @Override
    public SystemInstance start(
        SystemDefinition definition, EventLoop loop, Class<? extends Channel> channelType) {
      if (definition.name().equals(slow)) {
        started.countDown();
        try {
          gate.await();
        } catch (InterruptedException stopped) {
          throw new IllegalStateException(stopped);
        }
      }
      return new SystemInstance() {
        @Override
        public StreamListener open(
            OpenHead head, RequestHead request, boolean end, MuxStream stream) {
          throw new IllegalStateException("answers nothing");
        }

        @Override
        public void close() {
          closed.add(definition.name());
        }
      };
    }

    @Override
    public List<TestStage> test(SystemDefinition definition) {
      return List.of();
    }
  }

  @Test
  void pausesAnInstanceThatFailsAgainAndAgain() throws Exception {
    var starts = new AtomicInteger();
    var plugin = new FakePlugin(starts, () -> {});
    try (var agent = new ConfiguredAgent(Start.on(directory, broker).withPlugin(plugin))) {
      MockSession session = broker.awaitAdmitted();
      ConfigurationDocument document = cloud.deploy("erp", 1, plant.settings(), null);
      assertApplied(signed(deliver(session, 1, cloud.message("erp", 1, document))));
      for (int i = 0; i < CrashBreaker.FAILURES; i++) {
        assertThat(Caller.get(session, "erp")).isEqualTo("RESET INTERNAL");
      }
      session.awaitReport(
          it -> it.systems().stream().anyMatch(each -> each.state() == State.FAILED));
      Receipt again = signed(deliver(session, 2, cloud.message("erp", 1, document)));

      assertThat(reason(again)).isEqualTo(Reason.CRASH_LOOP);
      assertThat(agent.configurations().statuses().getFirst().problem().orElseThrow())
          .contains("crash-loop")
          .doesNotContain(CANARY);
      session.awaitReport(it -> it.systems().stream().anyMatch(each -> each.state() == State.LIVE));
      assertThat(starts).hasValue(2);
    }
  }

  private static DeliveryMessage instruction(
      String id, InstructionKind kind, @Nullable String system) {
    return instructionOf(id, kind, system);
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the system may be null
  private static DeliveryMessage instructionOf(
      String id, InstructionKind kind, @Nullable String system) {
    return new DeliveryMessage.Instruction(id, 1, kind, system, null);
  }

  @SuppressWarnings("NullAway") // as above
  private static DeliveryMessage wipe(String id, long generation, @Nullable String order) {
    return new DeliveryMessage.Instruction(id, generation, InstructionKind.WIPE, null, order);
  }

  @Test
  void followsInstructionsOnce() throws Exception {
    var starts = new AtomicInteger();
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).withPlugin(idle(starts)))) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      var results = new ArrayList<String>();
      for (DeliveryMessage each :
          List.of(
              instruction("a", InstructionKind.RESTART_PLUGIN, "erp"),
              instruction("a", InstructionKind.RESTART_PLUGIN, "erp"),
              instruction("b", InstructionKind.RESTART_PLUGIN, "mes"),
              instruction("c", InstructionKind.COLLECT_DIAGNOSTICS, null),
              instruction("d", InstructionKind.ROTATE_KEYS, null))) {
        results.add(String.valueOf(deliver(session, results.size() + 10, each).body().result()));
      }

      assertThat(starts).hasValue(2);
      assertThat(results.get(0)).isEqualTo("erp: restarted");
      assertThat(results.get(1)).isEqualTo(results.get(0));
      assertThat(results.get(2)).contains("no deployed system").contains("mes");
      assertThat(results.get(3)).contains("erp 1 live", "head 1/1").doesNotContain(CANARY);
      assertThat(results.get(4)).contains("new sealing and signing keys");

      DeliveryReceipt last =
          deliver(session, 20, instruction("e", InstructionKind.RECONNECT, null)).body();
      assertThat(last.result()).isEqualTo("reconnects");
      session.whenGone().get(10, TimeUnit.SECONDS);
      broker.awaitAdmitted();
    }
  }

  @Test
  void keysThatTheBrokerRefusesChangeNothing() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      session.refuseIdentities("the unlock secret is being replaced");

      DeliveryReceipt receipt =
          deliver(session, 1, instruction("k", InstructionKind.ROTATE_KEYS, null)).body();

      assertThat(receipt.result()).contains("not replaced").contains("unlock secret");
      deploy(session, 2, "erp", 1, plant.settings(USER), PASSWORD);
    }
  }

  @Test
  void newKeysCountFromTheNextTunnelOnAndOpenWhatTheOldOnesDid() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      VerifyingKey before = broker.signingKey();
      deliver(session, 2, instruction("k", InstructionKind.ROTATE_KEYS, null));
      IdentityNext next = session.identities().getFirst();

      // This tunnel goes on with the key that admitted it.
      deploy(session, 3, "mes", 1, plant.settings(USER), PASSWORD);
      broker.adopt(next);
      deliver(session, 4, instruction("r", InstructionKind.RECONNECT, null));
      MockSession again = broker.awaitAdmitted();

      assertThat(broker.signingKey()).isNotEqualTo(before);
      Rewrapped told = again.awaitRewrapped();
      assertThat(told.recipient()).isEqualTo(Octets.sha256(next.sealingKey()).bytes());
      deploy(again, 5, "crm", 1, plant.settings(USER), PASSWORD);
    }
  }

  @Test
  void keysAreReplacedOnceAlsoWhenTheProcessDiesBeforeItsReceipt() throws Exception {
    IdentityNext next;
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deliver(session, 1, instruction("k", InstructionKind.ROTATE_KEYS, null));
      next = session.identities().getFirst();
    }
    // The broker stored the keys, and no receipt of the instruction.
    broker.adopt(next);
    try (var _ = agent()) {
      MockSession again = broker.awaitAdmitted();
      DeliveryReceipt receipt =
          deliver(again, 1, instruction("k", InstructionKind.ROTATE_KEYS, null)).body();

      assertThat(receipt.result()).contains("new sealing and signing keys");
      assertThat(again.identities()).as("the keys that it has were made for it").isEmpty();

      deliver(again, 2, instruction("l", InstructionKind.ROTATE_KEYS, null));
      assertThat(again.identities()).as("another one").hasSize(1);
    }
  }

  @Test
  void keysThatTheBrokerNeverStoredAreMadeAgain() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deliver(session, 1, instruction("k", InstructionKind.ROTATE_KEYS, null));
      assertThat(session.identities()).hasSize(1);
    }
    try (var _ = agent()) {
      MockSession again = broker.awaitAdmitted();
      deliver(again, 1, instruction("k", InstructionKind.ROTATE_KEYS, null));

      assertThat(again.identities()).hasSize(1);
    }
  }

  @Test
  void wipesItselfWhenItIsTold() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      DeliveryReceipt receipt = deliver(session, 2, wipe("w", 1, broker.wipeOrder(1, "w"))).body();

      assertThat(receipt.result()).contains("wipes");
      assertThat(agent.awaitEnd()).contains("wiped by an instruction");
      assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
    }
  }

  @Test
  void aWipeHeardOnARetiringTunnelEndsTheAgent() throws Exception {
    try (var agent = agent()) {
      MockSession old = broker.awaitAdmitted();
      deploy(old, 1, "erp", 1, plant.settings(USER), PASSWORD);
      plant.hold();
      var _ = Caller.begin(old, "erp");
      plant.awaitCall();
      old.drain(0, 20_000);
      broker.awaitAdmitted();

      DeliveryReceipt receipt = deliver(old, 2, wipe("w", 1, broker.wipeOrder(1, "w"))).body();

      assertThat(receipt.result()).contains("wipes");
      assertThat(agent.awaitEnd()).contains("wiped by an instruction");
      assertThat(agent.configurations().statuses()).isEmpty();
      assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
    } finally {
      plant.release();
    }
  }

  @Test
  void wipesOnlyByASignedOrderForItself() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      String forged =
          new WipeOrder(MockBroker.AGENT, 1, "w", 1).sign(SigningKey.generate(new SecureRandom()));
      var results = new ArrayList<String>();
      for (DeliveryMessage each :
          List.of(
              wipe("w", 1, null),
              wipe("w", 1, forged),
              wipe("w", 1, broker.wipeOrder(1, "other")),
              wipe("w", 1, broker.wipeOrder(2, "w")),
              wipe("w", 2, broker.wipeOrder(2, "w")))) {
        results.add(String.valueOf(deliver(session, results.size() + 10, each).body().result()));
      }

      assertThat(results).allMatch(DeliveryReceipt::isRefusal);
      assertThat(results.get(0)).contains("found none");
      assertThat(results.get(1)).contains("does not hold");
      assertThat(results.get(2)).contains("another instruction");
      assertThat(results.get(3)).contains("another generation");
      assertThat(results.get(4)).contains("expected an instruction for generation 1, found 2");
      assertThat(Caller.test(session, "erp", null).orElseThrow().ok()).isTrue();
    }
  }

  @Test
  void followsNoInstructionForAnotherGeneration() throws Exception {
    var starts = new AtomicInteger();
    try (var _ = new ConfiguredAgent(Start.on(directory, broker).withPlugin(idle(starts)))) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      var old =
          new DeliveryMessage.Instruction("a", 2, InstructionKind.RESTART_PLUGIN, "erp", null);
      String result = String.valueOf(deliver(session, 10, old).body().result());

      assertThat(result).startsWith("refused: ").contains("found 2");
      assertThat(starts).hasValue(1);
    }
  }

  @Test
  void answersWhatItDoesNotKnowAsUnknown() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      DeliveryReceipt receipt =
          deliver(session, 2, instruction("x", InstructionKind.UNKNOWN, null)).body();

      assertThat(receipt.result()).isEqualTo(DeliveryReceipt.UNKNOWN);
    }
  }

  private static List<String> stages(TestReport report) {
    return report.stages().stream().map(it -> it.name() + " " + it.ok()).toList();
  }

  @Test
  void testsASystemStageByStage() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(USER), PASSWORD);
      TestReport running = Caller.test(session, "erp", null).orElseThrow();
      cloud.store(
          "erp",
          2,
          cloud.make(Draft.of("erp", 2, plant.settings().replace(":" + plant.port(), ":1"), null)));
      TestReport closed = Caller.test(session, "erp", 2L).orElseThrow();
      cloud.store(
          "erp", 3, cloud.make(Draft.of("erp", 3, plant.settings(), "{\"password\":\"x\"}")));
      TestReport invalid = Caller.test(session, "erp", 3L).orElseThrow();
      cloud.store("erp", 4, cloud.make(Draft.of("mes", 4, plant.settings(), null)));
      TestReport other = Caller.test(session, "erp", 4L).orElseThrow();
      cloud.store(
          "erp",
          5,
          cloud.make(Draft.of("erp", 5, plant.settings().replace("http://", "https://"), null)));
      TestReport plain = Caller.test(session, "erp", 5L).orElseThrow();
      plant.answerWith(401);
      TestReport unauthorized = Caller.test(session, "erp", 1L).orElseThrow();

      assertThat(running.ok()).as(running.toString()).isTrue();
      assertThat(stages(running))
          .containsExactly("verify true", "secrets true", "dns true", "tcp true", "http true");
      assertThat(plant.credentials()).contains(BASIC);
      assertThat(stages(closed))
          .containsExactly("verify true", "secrets true", "dns true", "tcp false");
      assertThat(stages(invalid)).containsExactly("verify true", "secrets false");
      assertThat(stages(other)).containsExactly("verify false");
      assertThat(stages(plain))
          .containsExactly("verify true", "secrets true", "dns true", "tcp true", "tls false");
      assertThat(unauthorized.stages().getLast().detail()).contains("401");
      assertThat(Caller.test(session, "erp", 9L)).isEmpty();
      assertThat(Caller.test(session, "mes", null)).isEmpty();
      assertThat(Caller.get(session, "erp")).isEqualTo("401 one");
      assertThat(session.rules().orElseThrow().systems()).hasSize(1);
    }
  }

  @Test
  void aHeadOfAnotherAgentIsNotAccepted() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings(), null);
      cloud.deploy("erp", 2, plant.settings(), null);
      HeadManifest other = cloud.manifest("plant-8");
      Receipt refused =
          signed(
              deliver(
                  session,
                  2,
                  new DeliveryMessage.Configuration("erp", 2, cloud.sign(other), null)));

      assertThat(reason(refused)).isEqualTo(Reason.WRONG_AGENT);
      assertThat(agent.configurations().sequence()).isEqualTo(1);
    }
  }

  @Test
  void survivesMessagesThatAreNone() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      var random = new Random(7);
      for (int i = 0; i < 50; i++) {
        byte[] noise = new byte[random.nextInt(64)];
        random.nextBytes(noise);
        session.deliverBytes(i + 1, noise);
        assertThat(session.awaitReceipt().body().result()).isIn("malformed", "unknown");
      }
      assertThat(Arrays.asList(session.closedByAgent())).noneMatch(CompletableFuture::isDone);
    }
  }
}
