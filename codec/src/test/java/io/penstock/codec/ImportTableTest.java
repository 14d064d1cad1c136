package io.penstock.codec;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The import table of this module, each ban with its reason.
@AnalyzeClasses(
    packages = "io.penstock.codec",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ImportTableTest {
  @ArchTest
  static final ArchRule NO_SOCKETS_OR_THREADS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.net..", "java.nio.channels..", "io.netty.channel..", "io.netty.handler..")
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(Thread.class)
          .because("the codec is tested as functions: whoever owns a socket or thread calls it");

  @ArchTest
  static final ArchRule NO_LOGGING =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.slf4j..", "java.util.logging..", "java.lang.System$Logger")
          .because(
              "a function says what happened by its result; its caller decides what is logged");

  @ArchTest
  static final ArchRule THE_WIRE_KNOWS_NOBODY =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.penstock.codec.*..")
          .because("the vocabulary is what everything else is built on");

  @ArchTest
  static final ArchRule STREAMS_KNOW_NO_KEYS =
      noClasses()
          .that()
          .resideInAnyPackage("io.penstock.codec.frame..", "io.penstock.codec.mux..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.penstock.codec.noise..", "io.penstock.codec.seal..", "javax.crypto..")
          .because("frames and streams must be testable in plaintext");

  @ArchTest
  static final ArchRule HANDSHAKE_KNOWS_NO_FRAMES =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec.noise..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.penstock.codec.frame..",
              "io.penstock.codec.mux..",
              "io.penstock.codec.message..",
              "io.penstock.codec.session..")
          .because("the handshake is read beside the Noise specification, which knows no frames");

  @ArchTest
  static final ArchRule SEALS_KNOW_NO_TUNNEL =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec.seal..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.netty..",
              "com.networknt..",
              "io.penstock.codec.frame..",
              "io.penstock.codec.message..",
              "io.penstock.codec.mux..",
              "io.penstock.codec.noise..",
              "io.penstock.codec.schema..",
              "io.penstock.codec.session..")
          .because("console and ctl seal without a tunnel, and a seal does not ask what is in it");

  @ArchTest
  static final ArchRule ONE_PLACE_KNOWS_THE_SCHEMA_VALIDATOR =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.penstock.codec.schema..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.networknt..")
          .because("its messages quote values, and only codec.schema takes them out");

  @ArchTest
  static final ArchRule SCHEMAS_KNOW_NO_KEYS =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec.schema..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("javax.crypto..", "org.bouncycastle..", "io.netty.buffer..")
          .because("the broker judges settings by them, and never sees a secret");
}
