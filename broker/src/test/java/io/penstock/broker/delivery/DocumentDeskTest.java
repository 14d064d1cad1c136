package io.penstock.broker.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.penstock.broker.tunnel.MockAgent;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.ConfigurationRequest;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentDeskTest {
  @TempDir Path directory;
  private DeliveryRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new DeliveryRig(directory.resolve("data"));
    rig.start();
    rig.agent("press");
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  /// Collects an answer; returns credit only while `takes`.
  private static final class Reader implements StreamListener {
    final ByteArrayOutputStream body = new ByteArrayOutputStream();
    int status;
    boolean ended;
    boolean takes = true;
    int owed;
    @Nullable ErrorCode reset;
    @Nullable MuxStream stream;

    @Override
    public void onHead(ByteBuf head, boolean end) {
      status = head.getUnsignedShort(0);
      ended = end;
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      int bytes = data.readableBytes();
      body.writeBytes(ByteBufUtil.getBytes(data));
      ended = end;
      owed += bytes;
      takeMore();
    }

    void takeMore() {
      if (takes && stream != null) {
        stream.consumed(owed);
        owed = 0;
      }
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      reset = code;
      ended = true;
    }
  }

  private static Reader ask(MockAgent agent, String system, long version) throws Exception {
    var reader = new Reader();
    reader.stream = agent.ask(new ConfigurationRequest(system, version), reader);
    agent.flush();
    return reader;
  }

  @Test
  void handsOverAMegabyteAsFastAsTheAgentTakesIt() throws Exception {
    byte[] settings = new byte[1 << 20];
    new Random(7).nextBytes(settings);
    rig.deploy("press", "mes", settings);
    try (MockAgent agent = rig.connect("press")) {
      Reader reader = ask(agent, "mes", 1);
      reader.takes = false;
      agent.playUntil(() -> reader.body.size() == 32 * 1024);
      assertThat(reader.status).isEqualTo(200);

      reader.takes = true;
      reader.takeMore();
      agent.flush();
      agent.playUntil(() -> reader.ended);

      var document = Messages.decodeDocument(reader.body.toByteArray());
      assertThat(document.settings()).isEqualTo(settings);
      assertThat(document.header()).isEqualTo(TestDocuments.header("press", "mes", 1));
    }
  }

  @Test
  void answers404ForWhatIsNotThere() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      Reader version = ask(agent, "mes", 2);
      Reader system = ask(agent, "scada", 1);
      agent.playUntil(() -> version.ended && system.ended);

      assertThat(List.of(version.status, system.status)).containsExactly(404, 404);
    }
  }

  @Test
  void anAgentThatTakesNothingHoldsTwoDocuments() throws Exception {
    rig.deploy("press", "mes", new byte[100_000]);
    rig.agent("lathe");
    rig.deploy("lathe", "mes", new byte[100_000]);
    try (MockAgent agent = rig.connect("press");
        MockAgent other = rig.connect("lathe")) {
      var readers = new ArrayList<Reader>();
      for (int i = 0; i < 4; i++) {
        Reader reader = ask(agent, "mes", 1);
        reader.takes = false;
        readers.add(reader);
      }
      agent.playUntil(() -> readers.stream().filter(it -> it.status == 200).count() == 2);
      Reader served = ask(other, "mes", 1);
      other.playUntil(() -> served.ended);
      // Long enough for the two that wait, and short of their patience's end.
      agent.pumpWithin(Duration.ofMillis(300));

      assertThat(served.body.size()).isGreaterThan(100_000);
      assertThat(readers.stream().filter(it -> it.status == 200)).hasSize(2);
      agent.playUntil(
          () -> readers.stream().filter(it -> it.reset == ErrorCode.OVERLOADED).count() == 2);
    }
  }

  @Test
  void refusesMoreThanAFewAtOnceAndServesTheOthers() throws Exception {
    byte[] settings = new byte[100_000];
    rig.deploy("press", "mes", settings);
    try (MockAgent agent = rig.connect("press")) {
      var readers = new ArrayList<Reader>();
      for (int i = 0; i < 9; i++) {
        Reader reader = ask(agent, "mes", 1);
        reader.takes = false;
        readers.add(reader);
      }
      agent.playUntil(() -> readers.getLast().reset == ErrorCode.OVERLOADED);
      readers.forEach(
          reader -> {
            reader.takes = true;
            reader.takeMore();
          });
      agent.flush();
      agent.playUntil(() -> readers.stream().allMatch(reader -> reader.ended));

      assertThat(readers.stream().filter(reader -> reader.status == 200)).hasSize(8);
      assertThat(readers.stream().filter(reader -> reader.body.size() > settings.length))
          .hasSize(8);
    }
  }
}
