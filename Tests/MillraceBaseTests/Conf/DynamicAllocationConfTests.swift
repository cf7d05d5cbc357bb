import MillraceBase
import Testing

/// Settings of dynamic allocation, as a spark-defaults.conf says them.
@Suite struct DynamicAllocationConfTests {
    @Test func sparksNamesAndUnitsAreUnderstood() throws {
        let conf = try Conf([
            "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "2",
            "spark.dynamicAllocation.maxExecutors": "2147483647",
            "spark.dynamicAllocation.executorIdleTimeout": "30",
            "spark.dynamicAllocation.schedulerBacklogTimeout": "5",
            "spark.dynamicAllocation.shuffleTracking.timeout": "500",
            "spark.decommission.enabled": "false",
        ]).dynamicAllocation
        #expect(conf.isEnabled && conf.minExecutors == 2)
        #expect(conf.executorIdleTimeout == .seconds(30))
        #expect(conf.schedulerBacklogTimeout == .seconds(5))
        // Spark counts this one in milliseconds.
        #expect(conf.shuffleTrackingTimeout == .milliseconds(500))
    }

    @Test func theMinimumIsNotAboveTheMaximum() {
        let error = #expect(throws: ConfError.self) {
            try Conf([
                "millrace.dynamicAllocation.minExecutors": "5",
                "millrace.dynamicAllocation.maxExecutors": "4",
            ])
        }
        #expect(error?.reason == "must be at most millrace.dynamicAllocation.maxExecutors (4)")
        #expect(throws: ConfError.self) {
            try Conf([
                "millrace.dynamicAllocation.initialExecutors": "5",
                "millrace.dynamicAllocation.maxExecutors": "4",
            ])
        }
    }

    @Test(arguments: ["0", "-1", "1.01", "nan"])
    func theRatioIsAboveZeroAndAtMostOne(text: String) {
        #expect(throws: ConfError.self) {
            try Conf(["millrace.dynamicAllocation.executorAllocationRatio": text])
        }
    }
}
