package io.penstock.loadtest;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The import table of the load harness, each ban with its reason.
@AnalyzeClasses(
    packages = "io.penstock.loadtest",
    importOptions = {ImportOption.DoNotIncludeTests.class})
final class ImportTableTest {
  private static final String ROOT = "io.penstock.loadtest";
  private static final String[] JDK = {"java..", "javax..", "org.jspecify.."};

  @ArchTest
  static final ArchRule RATE_IS_ARITHMETIC =
      classes()
          .that()
          .resideInAPackage(ROOT + ".rate..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(JDK[0], JDK[2], ROOT + ".rate..")
          .because("intended starts depend on nothing that happens");

  @ArchTest
  static final ArchRule RECORD_KNOWS_HISTOGRAMS_ONLY =
      classes()
          .that()
          .resideInAnyPackage(ROOT + ".record..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(JDK[0], JDK[2], "org.HdrHistogram..", ROOT + ".record..")
          .because("its arithmetic is tested without sockets and clocks");

  @ArchTest
  static final ArchRule NETWORK_IS_PLAIN_TCP =
      classes()
          .that()
          .resideInAPackage(ROOT + ".network..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(JDK[0], JDK[2], "io.netty..", ROOT + ".network..")
          .because("a line knows nothing of what goes over it");

  @ArchTest
  static final ArchRule ENGINE_KNOWS_NO_PENSTOCK =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".engine..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.penstock.codec..",
              ROOT + ".client..",
              ROOT + ".fleet..",
              ROOT + ".fault..",
              ROOT + ".report..",
              ROOT + ".scenario..")
          .because("a peer and the bare origin are loaded by the same code");

  @ArchTest
  static final ArchRule NEITHER_BROKER_NOR_AGENT =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.penstock.broker..", "io.penstock.agent..")
          .because("the harness knows them as processes");
}
