import MillraceBase
import Testing

@Suite struct ConfTests {
    @Test func readsDefaultsAndOverrides() throws {
        let conf = try Conf([
            "millrace.task.maxFailures": "8", "millrace.network.timeout": "30",
            "millrace.log.format": "JSON", "millrace.shuffle.partitions": "",
        ])
        #expect(conf.scheduler.maxTaskFailures == 8)
        #expect(conf.network.timeout == .seconds(30))
        #expect(conf.log.format == .json)
        #expect(conf.shuffle.partitions == nil)
        #expect(conf.driver.maxResultSize == .gibibytes(1))
        #expect(Conf().scheduler.maxTaskFailures == 4)
    }

    @Test func acceptsSparksNames() throws {
        let conf = try Conf([
            "spark.task.maxFailures": "2", "spark.sql.shuffle.partitions": "7",
            "spark.sql.streaming.pollingDelay": "25", "spark.executor.memory": "512",
            "spark.master": "local-cluster[2,1,1024]", "spark.app.name": "words",
        ])
        #expect(conf.scheduler.maxTaskFailures == 2)
        #expect(conf.shuffle.partitions == 7)
        #expect(conf.streaming.pollingDelay == .milliseconds(25))
        #expect(conf.executor.memory == .mebibytes(512))
        #expect(
            conf.application.master
                == .localCluster(executors: 2, cores: 1, memory: .mebibytes(1024)))
        #expect(conf.application.name == "words")
        #expect(conf.settings.allSatisfy { $0.key.hasPrefix("millrace.") })
        #expect(conf.warning == nil)
    }

    @Test func ofTwoNamesForOneSettingMillracesCounts() throws {
        let conf = try Conf(["spark.task.maxFailures": "2", "millrace.task.maxFailures": "3"])
        #expect(conf.scheduler.maxTaskFailures == 3)
        let layered = try Conf([
            ConfSetting("millrace.task.maxFailures", "3"),
            ConfSetting("spark.task.maxFailures", "2"),
        ])
        #expect(layered.scheduler.maxTaskFailures == 2)
    }

    @Test func saysOnceWhichSparkSettingsChangeNothing() throws {
        let conf = try Conf([
            "spark.kryoserializer.buffer.max": "64m",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        ])
        let warning = try #require(conf.warning)
        #expect(warning.contains("spark.kryoserializer.buffer.max"))
        #expect(warning.contains("spark.hadoop.fs.s3a.path.style.access"))
        #expect(!warning.contains("\n"))
        #expect(conf.settings.isEmpty)
    }

    @Test(arguments: [
        ("millrace.task.maxFailure", "millrace.task.maxFailures"),
        ("millrace.netwrok.timeout", "millrace.network.timeout"),
        ("spark.task.maxFialures", "spark.task.maxFailures"),
        ("spark.executor.memroy", "spark.executor.memory"),
        ("task.maxFailures", "millrace.task.maxFailures"),
    ])
    func anUnknownKeyIsAnErrorThatNamesTheNearest(key: String, nearest: String) {
        let error = #expect(throws: ConfError.self) { try Conf([key: "1"]) }
        #expect(error?.reason == "is not a known setting; did you mean \(nearest)?")
    }

    @Test func aKeyLikeNoOtherIsAnErrorToo() {
        let error = #expect(throws: ConfError.self) { try Conf(["colour": "blue"]) }
        #expect(error?.description.contains("`millrace conf`") == true)
        let long = String(repeating: "x", count: 100_000)
        #expect(throws: ConfError.self) { try Conf([long: "1"]) }
        #expect(throws: ConfError.self) { try Conf(["": "1"]) }
    }

    @Test(arguments: [
        ("millrace.task.maxFailures", "0", "must be between 1 and 1000"),
        ("millrace.task.maxFailures", "many", "is not an integer"),
        ("millrace.authenticate", "yes", "is not true or false"),
        ("millrace.network.timeout", "2 fortnights", "is not a time such as 10s, 200ms or 1min"),
        ("millrace.network.timeout", "0.5s", "is not a time such as 10s, 200ms or 1min"),
        ("millrace.executor.memory", "1e9", "is not a size such as 64k, 48m or 1g"),
        ("millrace.executor.memory", "99999999999999g", "is not a size such as 64k, 48m or 1g"),
        ("millrace.submit.deployMode", "here", "is not one of client, cluster"),
        ("millrace.redaction.regex", "(", "is not a regular expression"),
        ("millrace.master", "local[0]", "asks for 0 threads, which must be between 1 and 4096"),
    ])
    func aWrongValueIsAnErrorThatSaysWhatWouldBeRight(key: String, value: String, reason: String) {
        let source = ConfSource.file("spark-defaults.conf", line: 3)
        let error = #expect(throws: ConfError.self) {
            try Conf([ConfSetting(key, value, from: source)])
        }
        #expect(error?.description == "spark-defaults.conf:3: \(key)=\(value) \(reason)")
    }

    @Test func settingsThatContradictEachOtherAreAnError() {
        let error = #expect(throws: ConfError.self) {
            try Conf(["millrace.executor.heartbeatInterval": "200s"])
        }
        #expect(error?.reason == "must be below millrace.network.timeout (2min)")
        #expect(throws: ConfError.self) { try Conf(["millrace.ssl.enabled": "true"]) }
        #expect(throws: ConfError.self) { try Conf(["millrace.authenticate": "true"]) }
    }

    @Test func secretsAreNotShown() throws {
        let conf = try Conf([
            "millrace.authenticate.secret": "hunter2", "millrace.app.name": "words",
        ])
        let shown = conf.redacted.map { "\($0.key)=\($0.value)" }
        #expect(
            shown == [
                "millrace.app.name=words",
                "millrace.authenticate.secret=\(ConfRedaction.replacement)",
            ])
        let error = #expect(throws: ConfError.self) { try Conf(["spark.my.password": "hunter2"]) }
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func everyDefaultIsReadBackAsItself() throws {
        for entry in Conf.catalog {
            #expect(throws: Never.self) { try entry.parseValue(entry.defaultText) }
            for text in entry.simulateTexts {
                #expect(throws: Never.self) { try entry.parseValue(text) }
            }
        }
        let all = Dictionary(
            uniqueKeysWithValues: Conf.catalog.map { ($0.key, $0.defaultText) })
        let conf = try Conf(all)
        #expect(conf.settings.count == Conf.catalog.count)
        #expect(conf.shuffle.maxSizeInFlight == Conf().shuffle.maxSizeInFlight)
    }
}
