/// The settings of Spark 4.1 by name (its `ConfigEntry` declarations, and those its documentation
/// names only): what a `spark-defaults.conf` may contain without being wrong. Which of them mean
/// something here is decided by the entries (`Conf+Catalog.swift`); the rest is ignored, aloud.
enum SparkKeys {
    /// A known key, or one of a family whose last part is free.
    static func contains(_ key: String) -> Bool {
        isNamed(key) || families.contains { key.hasPrefix($0) && key.count > $0.count }
    }

    /// A key that is known as a whole.
    static func isNamed(_ key: String) -> Bool { known.contains(key) }

    /// Sorted.
    static let all: [String] = text.split(separator: "\n").flatMap { line in
        let words = line.split(separator: " ")
        return words.dropFirst().map { "\(words[0]).\($0)" }
    }.sorted()

    private static let known = Set(all)

    private static let families = [
        "spark.hadoop.", "spark.hive.", "spark.executorEnv.", "spark.appMasterEnv.",
        "spark.yarn.", "spark.mesos.", "spark.kubernetes.", "spark.ssl.", "spark.metrics.conf.",
        "spark.sql.catalog.", "spark.driver.resource.", "spark.executor.resource.",
        "spark.task.resource.", "spark.worker.resource.", "spark.r.", "spark.pyspark.",
        "spark.shuffle.push.", "spark.history.", "spark.connect.", "spark.jars.", "spark.graphx.",
        "spark.kafka.clusters.", "spark.plugins.",
    ]

    /// A line is a prefix and the last parts of the keys under it.
    private static let text = """
        spark archives authenticate extraListeners files home jars logConf master plugins serializer
        spark speculation testing
        spark.acls enable
        spark.admin acls
        spark.admin.acls groups
        spark.api mode
        spark.app id name startTime
        spark.app.attempt id
        spark.appStateStore.asyncTracking enable
        spark.authenticate enableSaslEncryption secret secretBitLength
        spark.authenticate.secret file
        spark.authenticate.secret.driver file
        spark.authenticate.secret.executor file
        spark.barrier.sync timeout
        spark.block.failures beforeLocationRefresh
        spark.blockManager port
        spark.broadcast UDFCompressionThreshold blockSize checksum compress
        spark.buffer pageSize size
        spark.buffer.write chunkSize
        spark.checkpoint compress dir
        spark.cleaner referenceTracking
        spark.cleaner.periodicGC interval
        spark.cleaner.referenceTracking blocking cleanCheckpoints
        spark.cleaner.referenceTracking.blocking shuffle
        spark.connect.authenticate token
        spark.connect.copyFromLocalToFs allowDestLocal
        spark.connect.execute.manager abandonedTombstonesSize detachedTimeout maintenanceInterval
        spark.connect.execute.reattachable enabled observerRetryBufferSize senderMaxStreamDuration
        spark.connect.execute.reattachable senderMaxStreamSize
        spark.connect.extensions.command classes
        spark.connect.extensions.expression classes
        spark.connect.extensions.relation classes
        spark.connect.grpc marshallerRecursionLimit maxInboundMessageSize maxMetadataSize
        spark.connect.grpc.arrow maxBatchSize
        spark.connect.grpc.binding address port
        spark.connect.grpc.interceptor classes
        spark.connect.grpc.port maxRetries
        spark.connect.jvmStacktrace maxSize
        spark.connect.ml.backend classes
        spark.connect.progress reportInterval
        spark.connect.scalaUdf stubPrefixes
        spark.connect.session.connectML.mlCache.memoryControl enabled maxInMemorySize maxModelSize
        spark.connect.session.connectML.mlCache.memoryControl maxStorageSize offloadingTimeout
        spark.connect.session.manager closedSessionsTombstonesSize defaultSessionTimeout
        spark.connect.session.manager maintenanceInterval
        spark.connect.session.planCache alwaysCacheDataSourceReadsEnabled enabled maxSize
        spark.connect.session.resultChunking maxChunkSize
        spark.cores max
        spark.dead.worker persistence
        spark.decommission enabled
        spark.default parallelism
        spark.deploy appIdPattern appNumberModulo defaultCores driverIdPattern maxDrivers
        spark.deploy maxExecutorRetries recoveryCompressionCodec recoveryDirectory recoveryMode
        spark.deploy recoveryTimeout retainedApplications retainedDrivers spreadOutApps
        spark.deploy spreadOutDrivers workerSelectionPolicy
        spark.deploy.recoveryMode factory
        spark.deploy.zookeeper dir url
        spark.diskStore subDirectories
        spark.driver bindAddress cores defaultJavaOptions extraClassPath extraJavaOptions
        spark.driver extraLibraryPath host maxResultSize memory memoryOverhead memoryOverheadFactor
        spark.driver minMemoryOverhead port resourcesFile supervise timeout userClassPathFirst
        spark.driver.blockManager port
        spark.driver.log allowErasureCoding dfsDir layout localDir redirectConsoleOutputs
        spark.driver.log.persistToDfs enabled
        spark.driver.metrics pollingInterval
        spark.dynamicAllocation cachedExecutorIdleTimeout enabled executorAllocationRatio
        spark.dynamicAllocation executorIdleTimeout initialExecutors maxExecutors minExecutors
        spark.dynamicAllocation schedulerBacklogTimeout sustainedSchedulerBacklogTimeout testing
        spark.dynamicAllocation.shuffleTracking enabled timeout
        spark.eventLog compress dir enabled excludedPatterns includeTaskMetricsAccumulators
        spark.eventLog logStageExecutorMetrics overwrite testing
        spark.eventLog.buffer kb
        spark.eventLog.compression codec
        spark.eventLog.erasureCoding enabled
        spark.eventLog.gcMetrics oldGenerationGarbageCollectors youngGenerationGarbageCollectors
        spark.eventLog.logBlockUpdates enabled
        spark.eventLog.longForm enabled
        spark.eventLog.rolling enabled maxFileSize
        spark.excludeOnFailure enabled killExcludedExecutors timeout
        spark.excludeOnFailure.application enabled maxFailedExecutorsPerNode
        spark.excludeOnFailure.application maxFailedTasksPerExecutor
        spark.excludeOnFailure.application.fetchFailure enabled
        spark.excludeOnFailure.killExcludedExecutors decommission
        spark.excludeOnFailure.stage maxFailedExecutorsPerNode maxFailedTasksPerExecutor
        spark.excludeOnFailure.task maxTaskAttemptsPerExecutor maxTaskAttemptsPerNode
        spark.excludeOnFailure.taskAndStage enabled
        spark.executor allowSparkContext cores defaultJavaOptions extraClassPath extraJavaOptions
        spark.executor extraLibraryPath failuresValidityInterval heartbeatInterval id instances
        spark.executor maxNumFailures memory memoryOverhead memoryOverheadFactor minMemoryOverhead
        spark.executor userClassPathFirst
        spark.executor.decommission forceKillTimeout killInterval signal
        spark.executor.heartbeat dropZeroAccumulatorUpdates maxFailures
        spark.executor.killOnFatalError depth
        spark.executor.log redirectConsoleOutputs
        spark.executor.logs.rolling enableCompression maxRetainedFiles maxSize strategy
        spark.executor.logs.rolling.time interval
        spark.executor.metrics fileSystemSchemes pollingInterval
        spark.executor.processTreeMetrics enabled
        spark.executor.pyspark memory
        spark.executor.python.worker.log details
        spark.executor.syncLogLevel enabled
        spark.file transferTo
        spark.files ignoreCorruptFiles ignoreMissingFiles maxPartitionBytes openCostInBytes
        spark.files.fetchFailure unRegisterOutputOnHost
        spark.hadoopRDD ignoreEmptySplits
        spark.history provider retainedApplications
        spark.history.custom.executor.log url
        spark.history.custom.executor.log.url applyIncompleteApplication
        spark.history.fs endEventReparseChunkSize logDirectory numReplayThreads
        spark.history.fs.cleaner enabled interval maxAge maxNum
        spark.history.fs.driverlog.cleaner enabled interval maxAge
        spark.history.fs.eventLog.rolling maxFilesToRetain onDemandLoadEnabled
        spark.history.fs.eventLog.rolling.compaction.score threshold
        spark.history.fs.inProgressOptimization enabled
        spark.history.fs.safemodeCheck interval
        spark.history.fs.update batchSize interval
        spark.history.kerberos enabled keytab principal
        spark.history.store maxDiskUsage path serializer
        spark.history.store.hybridStore diskBackend enabled maxMemoryUsage
        spark.history.ui maxApplications port title
        spark.history.ui.acls enable
        spark.history.ui.admin acls
        spark.history.ui.admin.acls groups
        spark.io.compression codec
        spark.io.compression.lz4 blockSize
        spark.io.compression.lzf.parallel enabled
        spark.io.compression.snappy blockSize
        spark.io.compression.zstd bufferSize level strategy workers
        spark.io.compression.zstd.bufferPool enabled
        spark.io.crypto.cipher transformation
        spark.io.encryption enabled keySizeBits
        spark.io.encryption.keygen algorithm
        spark.io.warning largeFileThreshold
        spark.jars excludes ivy ivySettings packages repositories
        spark.kafka.consumer.cache capacity evictorThreadRunInterval timeout
        spark.kafka.consumer.cache.jmx enable
        spark.kafka.consumer.fetchedData.cache evictorThreadRunInterval timeout
        spark.kafka.producer.cache evictorThreadRunInterval timeout
        spark.kerberos keytab principal
        spark.kerberos.access hadoopFileSystems
        spark.kerberos.relogin period
        spark.kerberos.renewal credentials
        spark.kryo classesToRegister pool referenceTracking registrationRequired registrator unsafe
        spark.kryoserializer buffer
        spark.kryoserializer.buffer max
        spark.kubernetes appKillPodDeletionGracePeriod context
        spark.kubernetes executorSnapshotsSubscribersShutdownGracePeriod memoryOverheadFactor
        spark.kubernetes namespace submitInDriver
        spark.kubernetes.allocation maxPendingPods
        spark.kubernetes.allocation.batch delay size
        spark.kubernetes.allocation.driver readinessTimeout
        spark.kubernetes.allocation.executor timeout
        spark.kubernetes.allocation.pods allocator
        spark.kubernetes.configMap maxSize
        spark.kubernetes.container image
        spark.kubernetes.container.image pullPolicy pullSecrets
        spark.kubernetes.decommission script
        spark.kubernetes.driver connectionTimeout master ownPersistentVolumeClaim
        spark.kubernetes.driver podTemplateContainerName podTemplateFile requestTimeout
        spark.kubernetes.driver resourceNamePrefix reusePersistentVolumeClaim
        spark.kubernetes.driver waitToReusePersistentVolumeClaim
        spark.kubernetes.driver.container image
        spark.kubernetes.driver.limit cores
        spark.kubernetes.driver.pod excludedFeatureSteps featureSteps name
        spark.kubernetes.driver.request cores
        spark.kubernetes.driver.scheduler name
        spark.kubernetes.driver.service deleteOnTermination ipFamilies ipFamilyPolicy
        spark.kubernetes.dynamicAllocation deleteGracePeriod
        spark.kubernetes.executor apiPollingInterval checkAllContainers decommissionLabel
        spark.kubernetes.executor decommissionLabelValue deleteOnTermination disableConfigMap
        spark.kubernetes.executor enableApiPolling enableApiWatcher enablePollingWithResourceVersion
        spark.kubernetes.executor eventProcessingInterval minTasksPerExecutorBeforeRolling
        spark.kubernetes.executor missingPodDetectDelta podNamePrefix podTemplateContainerName
        spark.kubernetes.executor podTemplateFile rollInterval rollPolicy
        spark.kubernetes.executor terminationGracePeriodSeconds
        spark.kubernetes.executor.container image
        spark.kubernetes.executor.limit cores
        spark.kubernetes.executor.pod excludedFeatureSteps featureSteps
        spark.kubernetes.executor.request cores
        spark.kubernetes.executor.scheduler name
        spark.kubernetes.file.upload path
        spark.kubernetes.hadoop configMapName
        spark.kubernetes.jars avoidDownloadSchemes
        spark.kubernetes.kerberos.krb5 configMapName path
        spark.kubernetes.kerberos.tokenSecret itemKey name
        spark.kubernetes.legacy useReadWriteOnceAccessMode
        spark.kubernetes.local.dirs tmpfs
        spark.kubernetes.pyspark pythonVersion
        spark.kubernetes.report interval
        spark.kubernetes.resource type
        spark.kubernetes.scheduler name
        spark.kubernetes.submission connectionTimeout requestTimeout waitAppCompletion
        spark.kubernetes.trust certificates
        spark.local dir
        spark.locality wait
        spark.locality.wait legacyResetOnTaskLaunch node process rack
        spark.log callerContext level
        spark.log.legacyTaskNameMdc enabled
        spark.log.structuredLogging enabled
        spark.master.rest enabled filters host maxThreads port
        spark.master.rest.virtualThread enabled
        spark.master.ui historyServerUrl port title visibleEnvVarPrefixes
        spark.master.ui.decommission.allow mode
        spark.master.useAppNameAsAppId enabled
        spark.master.useDriverIdAsAppName enabled
        spark.memory fraction storageFraction unmanagedMemoryPollingInterval
        spark.memory.offHeap enabled size
        spark.metrics conf namespace
        spark.metrics.appStatusSource enabled
        spark.metrics.executorMetricsSource enabled
        spark.metrics.staticSources enabled
        spark.modify acls
        spark.modify.acls groups
        spark.network maxRemoteBlockSizeFetchToMem remoteReadNioBufferConversion timeout
        spark.network timeoutInterval
        spark.network.crypto enabled saslFallback
        spark.port maxRetries
        spark.pyspark python
        spark.pyspark.driver python
        spark.python.authenticate socketTimeout
        spark.python.daemon module
        spark.python.factory idleWorkerMaxPoolSize
        spark.python.sql.dataFrameDebugging enabled
        spark.python.task killTimeout
        spark.python.unix.domain.socket dir enabled
        spark.python.use daemon
        spark.python.worker module reuse tracebackDumpIntervalSeconds
        spark.python.worker.faulthandler enabled
        spark.r backendConnectionTimeout command heartBeatInterval numRBackendThreads
        spark.rdd compress parallelListingThreshold
        spark.rdd.cache.visibilityTracking enabled
        spark.rdd.checkpoint cachePreferredLocsExpireTime
        spark.rdd.limit initialNumPartitions scaleUpFactor
        spark.redaction regex
        spark.redaction.string regex
        spark.reducer maxBlocksInFlightPerAddress maxReqsInFlight maxSizeInFlight
        spark.resources discoveryPlugin
        spark.resources.warnings testing
        spark.rpc askTimeout lookupTimeout numRetries
        spark.rpc.connect threads
        spark.rpc.io clientThreads connectionTimeout maxRetries mode numConnectionsPerPeer
        spark.rpc.io preferDirectBufs retryWait serverThreads threads
        spark.rpc.message maxSize
        spark.rpc.netty.dispatcher numThreads
        spark.rpc.retry wait
        spark.scheduler executorTaskExcludeOnFailureTime maxRegisteredResourcesWaitingTime
        spark.scheduler maxRetainedRemovedDecommissionExecutors
        spark.scheduler maxRetainedUnknownDecommissionExecutors minRegisteredResourcesRatio mode
        spark.scheduler numCancelledJobGroupsToTrack
        spark.scheduler.allocation file
        spark.scheduler.barrier.maxConcurrentTasksCheck interval maxFailures
        spark.scheduler.dropTaskInfoAccumulablesOnTaskCompletion enabled
        spark.scheduler.excludeOnFailure unschedulableTaskSetTimeout
        spark.scheduler.listenerbus exitTimeout logSlowEvent
        spark.scheduler.listenerbus.eventqueue capacity
        spark.scheduler.listenerbus.logSlowEvent threshold
        spark.scheduler.listenerbus.metrics maxListenerClassesTimed
        spark.scheduler.resource profileMergeConflicts
        spark.scheduler.revive interval
        spark.scheduler.stage legacyAbortAfterKillTasks
        spark.security.credentials renewalRatio retryWait
        spark.serializer extraDebugInfo objectStreamReset
        spark.shuffle accurateBlockSkewedFactor accurateBlockThreshold compress detectCorrupt
        spark.shuffle manager maxAccurateSkewedBlockNumber maxAttemptsOnNettyOOM
        spark.shuffle minNumPartitionsToHighlyCompress readHostLocalDisk sync useOldFetchProtocol
        spark.shuffle.checksum algorithm enabled
        spark.shuffle.detectCorrupt useExtraMemory
        spark.shuffle.file buffer
        spark.shuffle.file.merge buffer
        spark.shuffle.io backLog clientThreads connectionCreationTimeout connectionTimeout
        spark.shuffle.io enableVerboseMetrics lazyFD maxRetries mode numConnectionsPerPeer
        spark.shuffle.io preferDirectBufs receiveBuffer retryWait sendBuffer serverThreads
        spark.shuffle.localDisk.file.output buffer
        spark.shuffle.mapOutput minSizeForBroadcast parallelAggregationThreshold
        spark.shuffle.mapOutput.dispatcher numThreads
        spark.shuffle.mapStatus.compression codec
        spark.shuffle.push enabled maxBlockBatchSize maxBlockSizeToPush maxRetainedMergerLocations
        spark.shuffle.push mergersMinStaticThreshold mergersMinThresholdRatio minCompletedPushRatio
        spark.shuffle.push minShuffleSizeToWait numPushThreads sendFinalizeRPCThreads
        spark.shuffle.push.finalize timeout
        spark.shuffle.push.merge finalizeThreads
        spark.shuffle.push.results timeout
        spark.shuffle.reduceLocality enabled
        spark.shuffle.registration maxAttempts timeout
        spark.shuffle.service enabled name port removeShuffle
        spark.shuffle.service.db enabled
        spark.shuffle.sort bypassMergeThreshold initialBufferSize useRadixSort
        spark.shuffle.sort.io.plugin class
        spark.shuffle.spill batchSize compress diskWriteBufferSize initialMemoryThreshold
        spark.shuffle.spill maxSizeInBytesForSpillThreshold numElementsForceSpillThreshold
        spark.shuffle.unsafe fastMergeEnabled
        spark.shuffle.unsafe.file.output buffer
        spark.shutdown timeout
        spark.sparkr.r command
        spark.speculation interval minTaskRuntime multiplier quantile
        spark.speculation.efficiency enabled longRunTaskFactor processRateMultiplier
        spark.speculation.task.duration threshold
        spark.sql allowNamedFunctionArguments alwaysInlineCommonExpr autoBroadcastJoinThreshold
        spark.sql binaryOutputStyle broadcastTimeout catalogImplementation charAsVarchar
        spark.sql columnNameOfCorruptRecord cteRecursionAnchorRowsLimitToConvertToLocalRelation
        spark.sql cteRecursionLevelLimit cteRecursionRowLimit debug defaultCacheStorageLevel
        spark.sql defaultCatalog defaultSizeInBytes extendedExplainProviders extensions
        spark.sql filesourceTableRelationCacheSize globalTempDatabase groupByAliases groupByOrdinal
        spark.sql leafNodeDefaultParallelism lightweightPlanChangeValidation mapKeyDedupPolicy
        spark.sql mapZipWithUsesJavaCollections maxBroadcastTableSize maxConcurrentOutputFileWriters
        spark.sql maxMetadataStringLength maxPlanStringLength maxSinglePartitionBytes
        spark.sql metadataCacheTTLSeconds operatorPipeSyntaxEnabled optimizeNullAwareAntiJoin
        spark.sql orderByOrdinal orderingAwareLimitOffset pivotMaxValues planChangeValidation
        spark.sql preserveCharVarcharTypeInfo queryExecutionListeners readSideCharPadding
        spark.sql requireAllClusterKeysForCoPartition requireAllClusterKeysForDistribution
        spark.sql retainGroupColumns runSQLOnFiles selfJoinAutoResolveAmbiguity
        spark.sql shuffledHashJoinFactor stackTracesInDataFrameContext storeAssignmentPolicy
        spark.sql timeTravelTimestampKey timeTravelVersionKey timestampType transposeMaxValues
        spark.sql unionOutputPartitioning useCommonExprIdForAlias
        spark.sql.adaptive advisoryPartitionSizeInBytes applyFinalStageShuffleOptimizations
        spark.sql.adaptive autoBroadcastJoinThreshold customCostEvaluatorClass enabled
        spark.sql.adaptive fetchShuffleBlocksInBatch forceApply forceOptimizeSkewedJoin logLevel
        spark.sql.adaptive maxShuffledHashJoinLocalMapThreshold
        spark.sql.adaptive nonEmptyPartitionRatioForBroadcastJoin
        spark.sql.adaptive rebalancePartitionsSmallPartitionFactor
        spark.sql.adaptive.coalescePartitions enabled initialPartitionNum minPartitionNum
        spark.sql.adaptive.coalescePartitions minPartitionSize parallelismFirst
        spark.sql.adaptive.localShuffleReader enabled
        spark.sql.adaptive.optimizeSkewsInRebalancePartitions enabled
        spark.sql.adaptive.optimizer excludedRules
        spark.sql.adaptive.shuffle targetPostShuffleInputSize
        spark.sql.adaptive.skewJoin enabled skewedPartitionFactor skewedPartitionThresholdInBytes
        spark.sql.addPartitionInBatch size
        spark.sql.analyzer allowSubqueryExpressionsInLambdasOrHigherOrderFunctions
        spark.sql.analyzer dontDeduplicateExpressionIfExprIdInOutput failAmbiguousSelfJoin
        spark.sql.analyzer maxIterations scalarSubqueryAllowGroupByColumnEqualToConstant
        spark.sql.analyzer unionIsResolvedWhenDuplicatesPerChildResolved
        spark.sql.analyzer uniqueNecessaryMetadataColumns
        spark.sql.analyzer.canonicalization multiCommutativeOpMemoryOptThreshold
        spark.sql.analyzer.singlePassResolver dualRunSampleRate dualRunWithLegacy enabled
        spark.sql.analyzer.singlePassResolver enabledTentatively exposeResolverGuardFailure
        spark.sql.analyzer.singlePassResolver preventUsingAliasesFromNonDirectChildren
        spark.sql.analyzer.singlePassResolver returnSinglePassResultInDualRun
        spark.sql.analyzer.singlePassResolver runExtendedResolutionChecks
        spark.sql.analyzer.singlePassResolver runHeavyExtendedResolutionChecks
        spark.sql.analyzer.singlePassResolver throwFromResolverGuard validationEnabled
        spark.sql.analyzer.singlePassResolver.relationBridging enabled
        spark.sql.analyzer.sqlFunctionResolution applyConfOverrides
        spark.sql.ansi doubleQuotedIdentifiers enforceReservedKeywords relationPrecedence
        spark.sql.artifact.copyFromLocalToFs allowDestLocal
        spark.sql.artifact.isolation alwaysApplyClassloader enabled
        spark.sql.assumeAnsiFalseIfNotPersisted enabled
        spark.sql.avro datetimeRebaseModeInRead datetimeRebaseModeInWrite
        spark.sql.avro.compression codec
        spark.sql.avro.deflate level
        spark.sql.avro.filterPushdown enabled
        spark.sql.avro.xz level
        spark.sql.avro.zstandard level
        spark.sql.avro.zstandard.bufferPool enabled
        spark.sql.broadcastExchange maxThreadThreshold
        spark.sql.bucketing.coalesceBucketsInJoin enabled maxBucketRatio
        spark.sql.cache serializer
        spark.sql.cartesianProductExec.buffer.in.memory threshold
        spark.sql.cartesianProductExec.buffer.spill threshold
        spark.sql.cartesianProductExec.buffer.spill.size threshold
        spark.sql.cbo enabled starJoinFTRatio starSchemaDetection
        spark.sql.cbo.joinReorder enabled
        spark.sql.cbo.joinReorder.card weight
        spark.sql.cbo.joinReorder.dp threshold
        spark.sql.cbo.joinReorder.dp.star filter
        spark.sql.cbo.planStats enabled
        spark.sql.chunkBase64String enabled
        spark.sql.classic.shuffleDependency.fileCleanup enabled
        spark.sql.cli.print header
        spark.sql.codegen broadcastCleanedSourceThreshold comments factoryMode fallback
        spark.sql.codegen hugeMethodLimit logLevel maxFields methodSplitThreshold
        spark.sql.codegen splitConsumeFuncByOperator useIdInClassName wholeStage
        spark.sql.codegen.aggregate.fastHashMap capacityBit
        spark.sql.codegen.aggregate.map.twolevel enabled partialOnly
        spark.sql.codegen.aggregate.map.vectorized enable
        spark.sql.codegen.aggregate.sortAggregate enabled
        spark.sql.codegen.aggregate.splitAggregateFunc enabled
        spark.sql.codegen.cache maxEntries
        spark.sql.codegen.join.buildSideOuterShuffledHashJoin enabled
        spark.sql.codegen.join.existenceSortMergeJoin enabled
        spark.sql.codegen.join.fullOuterShuffledHashJoin enabled
        spark.sql.codegen.join.fullOuterSortMergeJoin enabled
        spark.sql.codegen.logging maxLines
        spark.sql.collation allowInMapKeys
        spark.sql.collation.objectLevel enabled
        spark.sql.collation.schemaLevel enabled
        spark.sql.collation.trim enabled
        spark.sql.columnVector.offheap enabled
        spark.sql.connect.enrichError enabled
        spark.sql.connect.serverStacktrace enabled
        spark.sql.connect.shuffleDependency.fileCleanup enabled
        spark.sql.connect.ui retainedSessions retainedStatements
        spark.sql.constraintPropagation enabled
        spark.sql.crossJoin enabled
        spark.sql.csv.filterPushdown enabled
        spark.sql.csv.parser inputBufferSize
        spark.sql.csv.parser.columnPruning enabled
        spark.sql.cteRelationDefMaxRows enabled
        spark.sql.dataFrameQueryContext enabled
        spark.sql.dataSource alwaysCreateV2Predicate skipAssertOnPredicatePushdown
        spark.sql.dataframeCache logLevel
        spark.sql.datetime.java8API enabled
        spark.sql.debug maxToStringFields
        spark.sql.decimalOperations allowPrecisionLoss
        spark.sql.defaultColumn allowedProviders enabled useNullsForMissingDefaultValues
        spark.sql.defaultUrlStreamHandlerFactory enabled
        spark.sql.enforceTypeCoercionBeforeUnionDeduplication enabled
        spark.sql.error messageFormat
        spark.sql.event.truncate length
        spark.sql.exchange reuse
        spark.sql.execution fastFailOnFileFormatOutput interruptOnCancel removeRedundantProjects
        spark.sql.execution removeRedundantSorts replaceHashWithSortAgg reuseSubquery
        spark.sql.execution sortBeforeRepartition topKSortFallbackThreshold
        spark.sql.execution useObjectHashAggregateExec usePartitionEvaluator
        spark.sql.execution.arrow enabled localRelationThreshold maxBytesPerBatch
        spark.sql.execution.arrow maxBytesPerOutputBatch maxRecordsPerBatch maxRecordsPerOutputBatch
        spark.sql.execution.arrow useLargeVarTypes
        spark.sql.execution.arrow.fallback enabled
        spark.sql.execution.arrow.pyspark enabled
        spark.sql.execution.arrow.pyspark.fallback enabled
        spark.sql.execution.arrow.pyspark.selfDestruct enabled
        spark.sql.execution.arrow.pyspark.validateSchema enabled
        spark.sql.execution.arrow.sparkr enabled
        spark.sql.execution.arrow.transformWithStateInPySpark maxStateRecordsPerBatch
        spark.sql.execution.broadcastHashJoin outputPartitioningExpandLimit
        spark.sql.execution.datasources.hadoopLineRecordReader enabled
        spark.sql.execution.pandas convertToArrowArraySafely inferPandasDictAsMap structHandlingMode
        spark.sql.execution.pandas.udf.buffer size
        spark.sql.execution.pyspark python
        spark.sql.execution.pyspark.udf idleTimeoutSeconds killOnIdleTimeout
        spark.sql.execution.pyspark.udf tracebackDumpIntervalSeconds
        spark.sql.execution.pyspark.udf.faulthandler enabled
        spark.sql.execution.pyspark.udf.hideTraceback enabled
        spark.sql.execution.pyspark.udf.simplifiedTraceback enabled
        spark.sql.execution.python.udf maxRecordsPerBatch
        spark.sql.execution.python.udf.buffer size
        spark.sql.execution.pythonUDF.arrow enabled
        spark.sql.execution.pythonUDF.arrow.concurrency level
        spark.sql.execution.pythonUDF.arrow.legacy fallbackOnUDT
        spark.sql.execution.pythonUDF.pandas intToDecimalCoercionEnabled
        spark.sql.execution.pythonUDTF.arrow enabled
        spark.sql.execution.rangeExchange sampleSizePerPartition
        spark.sql.expressionTreeChangeLog level
        spark.sql.extensions.test loadFromCp
        spark.sql.files ignoreCorruptFiles ignoreInvalidPartitionPaths ignoreMissingFiles
        spark.sql.files maxPartitionBytes maxPartitionNum maxRecordsPerFile minPartitionNum
        spark.sql.files openCostInBytes supportSecondOffsetFormat
        spark.sql.function concatBinaryAsString eltOutputAsString
        spark.sql.hive caseSensitiveInferenceMode convertCTAS filesourcePartitionFileCacheSize
        spark.sql.hive gatherFastStats manageFilesourcePartitions metastorePartitionPruning
        spark.sql.hive metastorePartitionPruningFallbackOnException
        spark.sql.hive metastorePartitionPruningFastFallback metastorePartitionPruningInSetThreshold
        spark.sql.hive tablePropertyLengthThreshold
        spark.sql.hive.advancedPartitionPredicatePushdown enabled
        spark.sql.hive.dropPartitionByName enabled
        spark.sql.hive.thriftServer singleSession
        spark.sql.icu.caseMappings enabled
        spark.sql.inMemoryColumnarStorage batchSize compressed enableVectorizedReader
        spark.sql.inMemoryColumnarStorage hugeVectorReserveRatio hugeVectorThreshold
        spark.sql.inMemoryColumnarStorage partitionPruning
        spark.sql.inMemoryTableScanStatistics enable
        spark.sql.join preferSortMergeJoin
        spark.sql.json enableExactStringParsing enablePartialResults useUnsafeRow
        spark.sql.json.filterPushdown enabled
        spark.sql.jsonGenerator ignoreNullFields writeNullIfWithDefaultValue
        spark.sql.lateralColumnAlias enableImplicitResolution
        spark.sql.lazySetOperatorOutput enabled
        spark.sql.legacy addSingleFileInAddFile allowAutoGeneratedAliasForView allowEmptySchemaWrite
        spark.sql.legacy allowHashOnMapType allowNegativeScaleOfDecimal allowNonEmptyLocationInCTAS
        spark.sql.legacy allowNullComparisonResultInArraySort allowParameterlessCount
        spark.sql.legacy allowSessionVariableInPersistedView
        spark.sql.legacy allowStarWithSingleTableIdentifierInCount
        spark.sql.legacy allowTempViewCreationWithMultipleNameparts allowUntypedScalaUDF
        spark.sql.legacy allowZeroIndexInFormatString bangEqualsNot
        spark.sql.legacy blockCreateTempTableUsingProvider charVarcharAsString codingErrorAction
        spark.sql.legacy collationAwareHashFunctions createEmptyCollectionUsingStringType
        spark.sql.legacy createHiveTableByDefault ctePrecedencePolicy
        spark.sql.legacy dataFrameWriterV2IgnorePathOption disableMapKeyNormalization doLooseUpcast
        spark.sql.legacy duplicateBetweenInput earlyEvalCurrentTime emptyCurrentDBInCli
        spark.sql.legacy followThreeValuedLogicInArrayExists groupingIdWithAppendedUserGroupBy
        spark.sql.legacy histogramNumericPropagateInputType inSubqueryNullability
        spark.sql.legacy inlineCTEInCommands integerGroupingId javaCharsets keepCommandOutputSchema
        spark.sql.legacy keepPartitionSpecAsStringLiteral lpadRpadAlwaysReturnString
        spark.sql.legacy negativeIndexInArrayInsert noCharPaddingInPredicate notReserveProperties
        spark.sql.legacy nullInEmptyListBehavior nullValueWrittenAsQuotedEmptyStringCsv
        spark.sql.legacy parseNullPartitionSpecAsStringLiteral parseQueryWithoutEof
        spark.sql.legacy percentileDiscCalculation raiseErrorWithoutErrorClass
        spark.sql.legacy readFileSourceTableCacheIgnoreOptions
        spark.sql.legacy respectNullabilityInTextDatasetConversion
        spark.sql.legacy scalarSubqueryAllowGroupByNonEqualityCorrelatedPredicate
        spark.sql.legacy scalarSubqueryCountBugBehavior sessionInitWithConfigDefaults
        spark.sql.legacy setCommandRejectsSparkCoreConfs sizeOfNull
        spark.sql.legacy skipTypeValidationOnAlterPartition statisticalAggregate
        spark.sql.legacy storeAnalyzedPlanForView truncateForEmptyRegexSplit
        spark.sql.legacy useCurrentConfigsForView useV1Command v1IdentifierNoCatalog
        spark.sql.legacy viewSchemaBindingMode viewSchemaCompensation
        spark.sql.legacy.avro allowIncompatibleSchema
        spark.sql.legacy.bucketedTableScan outputOrdering
        spark.sql.legacy.castComplexTypesToString enabled
        spark.sql.legacy.consecutiveStringLiterals enabled
        spark.sql.legacy.csv enableDateTimeParsingFallback
        spark.sql.legacy.dataset nameNonStructGroupingKeyAsValue
        spark.sql.legacy.db2.booleanMapping enabled
        spark.sql.legacy.db2.numericMapping enabled
        spark.sql.legacy.decimal retainFractionDigitsOnTruncate
        spark.sql.legacy.execution.pandas.groupedMap assignColumnsByName
        spark.sql.legacy.execution.pythonUDF.pandas.conversion enabled
        spark.sql.legacy.execution.pythonUDTF.pandas.conversion enabled
        spark.sql.legacy.exponentLiteralAsDecimal enabled
        spark.sql.legacy.extraOptionsBehavior enabled
        spark.sql.legacy.fromDayTimeString enabled
        spark.sql.legacy.interval enabled
        spark.sql.legacy.json enableDateTimeParsingFallback
        spark.sql.legacy.json.allowEmptyString enabled
        spark.sql.legacy.literal pickMinimumPrecision
        spark.sql.legacy.mssqlserver.datetimeoffsetMapping enabled
        spark.sql.legacy.mssqlserver.numericMapping enabled
        spark.sql.legacy.mysql.bitArrayMapping enabled
        spark.sql.legacy.mysql.timestampNTZMapping enabled
        spark.sql.legacy.oracle.timestampMapping enabled
        spark.sql.legacy.parquet nanosAsLong
        spark.sql.legacy.parser havingWithoutGroupByAsWhere
        spark.sql.legacy.pathOptionBehavior enabled
        spark.sql.legacy.postgres.datetimeMapping enabled
        spark.sql.legacy.replaceDatabricksSparkAvro enabled
        spark.sql.legacy.setopsPrecedence enabled
        spark.sql.legacy.typeCoercion.datetimeToString enabled
        spark.sql.limit initialNumPartitions scaleUpFactor
        spark.sql.maven additionalRemoteRepositories
        spark.sql.nameResolutionLog level
        spark.sql.objectHashAggregate.sortBased fallbackThreshold
        spark.sql.optimizer avoidCollapseUDFWithExpensiveExpr canChangeCachedPlanOutputPartitioning
        spark.sql.optimizer collapseProjectAlwaysInline datasourceV2ExprFolding
        spark.sql.optimizer datasourceV2JoinPushdown disableHints enableCsvExpressionOptimization
        spark.sql.optimizer enableJsonExpressionOptimization excludedRules
        spark.sql.optimizer expressionProjectionCandidateLimit inSetConversionThreshold
        spark.sql.optimizer inSetSwitchThreshold maxIterations metadataOnly
        spark.sql.optimizer optimizeOneRowRelationSubquery
        spark.sql.optimizer preserveAliasMetadataWhenCollapsingProjects
        spark.sql.optimizer pruneFiltersCanPruneStreamingSubplan pullHintsIntoSubqueries
        spark.sql.optimizer replaceExceptWithFilter scalarSubqueryUseSingleJoin
        spark.sql.optimizer windowGroupLimitThreshold wrapExistsInAggregateFunction
        spark.sql.optimizer.decorrelateExistsSubqueryLegacyIncorrectCountHandling enabled
        spark.sql.optimizer.decorrelateInnerQuery enabled
        spark.sql.optimizer.decorrelateJoinPredicate enabled
        spark.sql.optimizer.decorrelateLimit enabled
        spark.sql.optimizer.decorrelateOffset enabled
        spark.sql.optimizer.decorrelatePredicateSubqueriesInJoinPredicate enabled
        spark.sql.optimizer.decorrelateSetOps enabled
        spark.sql.optimizer.decorrelateSubqueryLegacyIncorrectCountHandling enabled
        spark.sql.optimizer.decorrelateSubqueryPreventConstantHoldingForCountBug enabled
        spark.sql.optimizer.decorrelateUnionOrSetOpUnderLimit enabled
        spark.sql.optimizer.dynamicPartitionPruning enabled fallbackFilterRatio reuseBroadcastOnly
        spark.sql.optimizer.dynamicPartitionPruning useStats
        spark.sql.optimizer.excludeSubqueryRefsFromRemoveRedundantAliases enabled
        spark.sql.optimizer.expression.nestedPruning enabled
        spark.sql.optimizer.nestedPredicatePushdown supportedFileSources
        spark.sql.optimizer.nestedSchemaPruning enabled
        spark.sql.optimizer.optimizeOneRowRelationSubquery alwaysInline
        spark.sql.optimizer.optimizeUncorrelatedInSubqueriesInJoinCondition enabled
        spark.sql.optimizer.plannedWrite enabled
        spark.sql.optimizer.propagateDistinctKeys enabled
        spark.sql.optimizer.pullOutNestedDataOuterRefExpressions enabled
        spark.sql.optimizer.runtime.bloomFilter applicationSideScanSizeThreshold
        spark.sql.optimizer.runtime.bloomFilter creationSideThreshold enabled expectedNumItems
        spark.sql.optimizer.runtime.bloomFilter maxNumBits maxNumItems numBits
        spark.sql.optimizer.runtime.rowLevelOperationGroupFilter enabled
        spark.sql.optimizer.runtimeFilter.number threshold
        spark.sql.optimizer.serializer.nestedSchemaPruning enabled
        spark.sql.orc aggregatePushdown columnarReaderBatchSize columnarWriterBatchSize
        spark.sql.orc enableNestedColumnVectorizedReader enableVectorizedReader filterPushdown impl
        spark.sql.orc mergeSchema
        spark.sql.orc.compression codec
        spark.sql.parquet aggregatePushdown binaryAsString columnarReaderBatchSize
        spark.sql.parquet datetimeRebaseModeInRead datetimeRebaseModeInWrite
        spark.sql.parquet enableNestedColumnVectorizedReader enableVectorizedReader filterPushdown
        spark.sql.parquet int96AsTimestamp int96RebaseModeInRead int96RebaseModeInWrite
        spark.sql.parquet int96TimestampConversion mergeSchema outputTimestampType
        spark.sql.parquet respectSummaryFiles writeLegacyFormat
        spark.sql.parquet.compression codec
        spark.sql.parquet.fieldId.read enabled ignoreMissing
        spark.sql.parquet.fieldId.write enabled
        spark.sql.parquet.filterPushdown date decimal stringPredicate timestamp
        spark.sql.parquet.filterPushdown.string startsWith
        spark.sql.parquet.inferTimestampNTZ enabled
        spark.sql.parquet.output.committer class
        spark.sql.parquet.pushdown inFilterThreshold
        spark.sql.parquet.recordLevelFilter enabled
        spark.sql.parser eagerEvalOfUnresolvedInlineTable escapedStringLiterals manageParserCaches
        spark.sql.parser parserDfaCacheFlushRatio parserDfaCacheFlushThreshold
        spark.sql.parser quotedRegexColumnNames
        spark.sql.pipelines maxFlowRetryAttempts timeoutMsForTerminationJoinAndLock
        spark.sql.pipelines.event.queue capacity
        spark.sql.pipelines.execution maxConcurrentFlows
        spark.sql.pipelines.execution.streamstate pollingInterval
        spark.sql.pipelines.execution.watchdog maxRetryTime minRetryTime
        spark.sql.planChangeLog batches level rules
        spark.sql.planner.pythonExecution memory
        spark.sql.prioritizeOrdinalResolutionInSort enabled
        spark.sql.pyspark.inferNestedDictAsStruct enabled
        spark.sql.pyspark.jvmStacktrace enabled
        spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement enabled
        spark.sql.pyspark.legacy.inferMapTypeFromFirstPair enabled
        spark.sql.pyspark.plotting max_rows
        spark.sql.pyspark.udf profiler
        spark.sql.python.filterPushdown enabled
        spark.sql.redaction.options regex
        spark.sql.redaction.string regex
        spark.sql.repl.eagerEval enabled maxNumRows truncate
        spark.sql.resultQueryStage maxThreadThreshold
        spark.sql.runCollationTypeCastsBeforeAliasAssignment enabled
        spark.sql.scriptTransformation exitTimeoutInSeconds
        spark.sql.scripting continueHandlerEnabled enabled
        spark.sql.sessionWindow.buffer.in.memory threshold
        spark.sql.sessionWindow.buffer.spill threshold
        spark.sql.sessionWindow.buffer.spill.size threshold
        spark.sql.shuffle partitions
        spark.sql.shuffle.orderIndependentChecksum enabled
        spark.sql.shuffleDependency.fileCleanup enabled
        spark.sql.shuffleDependency.skipMigration enabled
        spark.sql.shuffleExchange maxThreadThreshold
        spark.sql.sort enableRadixSort
        spark.sql.sortMergeJoinExec.buffer.in.memory threshold
        spark.sql.sortMergeJoinExec.buffer.spill threshold
        spark.sql.sortMergeJoinExec.buffer.spill.size threshold
        spark.sql.sources commitProtocolClass default disabledJdbcConnProviderList
        spark.sql.sources fileCompressionFactor ignoreDataLocality outputCommitterClass
        spark.sql.sources partitionOverwriteMode schemaStringLengthThreshold
        spark.sql.sources useListFilesFileSystemList useV1SourceList validatePartitionColumns
        spark.sql.sources.binaryFile maxLength
        spark.sql.sources.bucketing enabled maxBuckets
        spark.sql.sources.bucketing.autoBucketedScan enabled
        spark.sql.sources.parallelPartitionDiscovery parallelism threshold
        spark.sql.sources.partitionColumnTypeInference enabled
        spark.sql.sources.v2.bucketing enabled
        spark.sql.sources.v2.bucketing.allowCompatibleTransforms enabled
        spark.sql.sources.v2.bucketing.allowJoinKeysSubsetOfPartitionKeys enabled
        spark.sql.sources.v2.bucketing.partiallyClusteredDistribution enabled
        spark.sql.sources.v2.bucketing.partition.filter enabled
        spark.sql.sources.v2.bucketing.pushPartValues enabled
        spark.sql.sources.v2.bucketing.shuffle enabled
        spark.sql.sources.v2.bucketing.sorting enabled
        spark.sql.stableDerivedColumnAlias enabled
        spark.sql.statistics fallBackToHdfs
        spark.sql.statistics.histogram enabled numBins
        spark.sql.statistics.ndv maxError
        spark.sql.statistics.parallelFileListingInStatsComputation enabled
        spark.sql.statistics.percentile accuracy
        spark.sql.statistics.size.autoUpdate enabled
        spark.sql.statistics.updatePartitionStatsInAnalyzeTable enabled
        spark.sql.streaming checkpointFileManagerClass checkpointLocation commitProtocolClass
        spark.sql.streaming disabledV2MicroBatchReaders disabledV2Writers
        spark.sql.streaming forceDeleteTempCheckpointLocation maxBatchesToRetainInMemory
        spark.sql.streaming metricsEnabled minBatchesToRetain multipleWatermarkPolicy
        spark.sql.streaming noDataProgressEventInterval numRecentProgressUpdates pollingDelay
        spark.sql.streaming ratioExtraSpaceAllowedInCheckpoint schemaInference
        spark.sql.streaming stopActiveRunOnRestart stopTimeout streamingQueryListeners
        spark.sql.streaming unsupportedOperationCheck verifyCheckpointDirectoryEmptyOnStart
        spark.sql.streaming.aggregation stateFormatVersion
        spark.sql.streaming.asyncLogPurge enabled
        spark.sql.streaming.checkpoint.renamedFileCheck enabled
        spark.sql.streaming.continuous epochBacklogQueueSize executorPollIntervalMs
        spark.sql.streaming.continuous executorQueueSize
        spark.sql.streaming.fileSink.log cleanupDelay compactInterval deletion
        spark.sql.streaming.fileSource.cleaner numThreads
        spark.sql.streaming.fileSource.log cleanupDelay compactInterval deletion
        spark.sql.streaming.fileSource.schema forceNullable
        spark.sql.streaming.fileStreamSink ignoreMetadata
        spark.sql.streaming.flatMapGroupsWithState skipEmittingInitialStateKeys stateFormatVersion
        spark.sql.streaming.join stateFormatVersion
        spark.sql.streaming.kafka useDeprecatedOffsetFetching
        spark.sql.streaming.metadataCache enabled
        spark.sql.streaming.noDataMicroBatches enabled
        spark.sql.streaming.optimizeOneRowPlan enabled
        spark.sql.streaming.sessionWindow stateFormatVersion
        spark.sql.streaming.sessionWindow.merge.sessions.in.local partition
        spark.sql.streaming.stateStore checkpointFormatVersion coordinatorReportSnapshotUploadLag
        spark.sql.streaming.stateStore encodingFormat maintenanceInterval
        spark.sql.streaming.stateStore maintenanceProcessingTimeout maintenanceShutdownTimeout
        spark.sql.streaming.stateStore maxLaggingStoresToReport maxNumStateSchemaFiles
        spark.sql.streaming.stateStore minDeltasForSnapshot multiplierForMinTimeDiffToLog
        spark.sql.streaming.stateStore multiplierForMinVersionDiffToLog
        spark.sql.streaming.stateStore numStateStoreInstanceMetricsToReport
        spark.sql.streaming.stateStore numStateStoreMaintenanceThreads providerClass
        spark.sql.streaming.stateStore snapshotLagReportInterval stateSchemaCheck unloadOnCommit
        spark.sql.streaming.stateStore valueStateSchemaEvolutionThreshold
        spark.sql.streaming.stateStore.commitValidation enabled
        spark.sql.streaming.stateStore.compression codec
        spark.sql.streaming.stateStore.formatValidation enabled
        spark.sql.streaming.stateStore.rocksdb formatVersion
        spark.sql.streaming.stateStore.skipNullsForStreamStreamJoins enabled
        spark.sql.streaming.statefulOperator allowMultiple useStrictDistribution
        spark.sql.streaming.statefulOperator.checkCorrectness enabled
        spark.sql.streaming.transformWithState stateSchemaVersion
        spark.sql.streaming.triggerAvailableNowWrapper enabled
        spark.sql.streaming.ui enabled enabledCustomMetricList retainedProgressUpdates
        spark.sql.streaming.ui retainedQueries
        spark.sql.subexpressionElimination enabled skipForShortcutExpr
        spark.sql.subexpressionElimination.cache maxEntries
        spark.sql.subquery maxThreadThreshold
        spark.sql.thriftServer incrementalCollect interruptOnCancel queryTimeout
        spark.sql.thriftserver.scheduler pool
        spark.sql.thriftserver.ui retainedSessions retainedStatements
        spark.sql.truncateTable.ignorePermissionAcl enabled
        spark.sql.tvf.allowMultipleTableArguments enabled
        spark.sql.ui explainMode retainedExecutions
        spark.sql.variable substitute
        spark.sql.variant allowDuplicateKeys allowReadingShredded forceShreddingSchemaForTest
        spark.sql.variant pushVariantIntoScan
        spark.sql.variant.writeShredding enabled
        spark.sql.view maxNestedViewDepth
        spark.sql.warehouse dir
        spark.sql.windowExec.buffer.in.memory threshold
        spark.sql.windowExec.buffer.spill threshold
        spark.sql.windowExec.buffer.spill.size threshold
        spark.sql.xml.legacyXMLParser enabled
        spark.ssl enabled
        spark.ssl.rpc certChain enabled privateKey
        spark.starvation timeout
        spark.stage ignoreDecommissionFetchFailure maxAttempts maxConsecutiveAttempts
        spark.standalone executorRemoveDelayOnDisconnection
        spark.standalone.submit waitAppCompletion
        spark.storage blockManagerHeartbeatTimeoutMs blockManagerMasterDriverHeartbeatTimeoutMs
        spark.storage blockManagerTimeoutIntervalMs cachedPeersTtl cleanupFilesAfterExecutorExit
        spark.storage exceptionOnPinLeak maxReplicationFailures memoryMapLimitForTests
        spark.storage memoryMapThreshold unrollMemoryCheckPeriod unrollMemoryGrowthFactor
        spark.storage unrollMemoryThreshold
        spark.storage.decommission enabled maxReplicationFailuresPerBlock
        spark.storage.decommission replicationReattemptInterval
        spark.storage.decommission.fallbackStorage cleanUp path
        spark.storage.decommission.rddBlocks enabled
        spark.storage.decommission.shuffleBlocks enabled maxDiskSize maxThreads
        spark.storage.localDiskByExecutors cacheSize
        spark.storage.replication policy proactive topologyFile topologyMapper
        spark.streaming blockInterval concurrentJobs gracefulStopTimeout stopGracefullyOnShutdown
        spark.streaming unpersist
        spark.streaming.backpressure enabled initialRate rateEstimator
        spark.streaming.backpressure.pid derived integral minRate proportional
        spark.streaming.driver.writeAheadLog allowBatching batchingTimeout class closeFileAfterWrite
        spark.streaming.driver.writeAheadLog maxFailures rollingIntervalSecs
        spark.streaming.dynamicAllocation enabled maxExecutors minExecutors scalingDownRatio
        spark.streaming.dynamicAllocation scalingInterval scalingUpRatio testing
        spark.streaming.kafka maxRatePerPartition minRatePerPartition
        spark.streaming.manualClock jump
        spark.streaming.receiver maxRate
        spark.streaming.receiver.writeAheadLog class closeFileAfterWrite enable maxFailures
        spark.streaming.receiver.writeAheadLog rollingIntervalSecs
        spark.streaming.sessionByKey deltaChainThreshold
        spark.streaming.ui retainedBatches
        spark.submit callSystemExitOnMainExit deployMode pyFiles
        spark.submit.proxyUser allowCustomClasspathInClusterMode
        spark.task cpus maxDirectResultSize maxFailures
        spark.task.reaper enabled killTimeout pollingInterval threadDump
        spark.taskMetrics trackUpdatedBlockStatuses
        spark.test noStageRetry
        spark.testing memory nCoresPerExecutor nExecutorsPerHost nHosts reservedMemory
        spark.testing resourceProfileManager skipESSRegister skipValidateCores
        spark.testing.dynamicAllocation.schedule enabled
        spark.ui allowFramingFrom enabled filters groupSQLSubExecutionEnabled heapHistogramEnabled
        spark.ui jettyStopTimeout killEnabled port proxyRedirectUri requestHeaderSize
        spark.ui retainedDeadExecutors retainedJobs retainedStages retainedTasks reverseProxy
        spark.ui reverseProxyUrl showConsoleProgress strictTransportSecurity threadDumpsEnabled
        spark.ui timelineEnabled xXssProtection
        spark.ui.consoleProgress.update interval
        spark.ui.custom.executor.log url
        spark.ui.dagGraph retainedRootRDDs
        spark.ui.liveUpdate minFlushPeriod period
        spark.ui.prometheus enabled
        spark.ui.store path
        spark.ui.threadDump flamegraphEnabled
        spark.ui.timeline.executors maximum
        spark.ui.timeline.jobs maximum
        spark.ui.timeline.stages maximum
        spark.ui.timeline.tasks maximum
        spark.ui.view acls
        spark.ui.view.acls groups
        spark.ui.xContentTypeOptions enabled
        spark.unsafe exceptionOnMemoryLeak
        spark.unsafe.sorter.spill.read.ahead enabled
        spark.unsafe.sorter.spill.reader.buffer size
        spark.user.groups mapping
        spark.worker driverTerminateTimeout idPattern initialRegistrationRetries
        spark.worker maxRegistrationRetries preferConfiguredMasterAddress resourcesFile timeout
        spark.worker.cleanup appDataTtl enabled interval
        spark.worker.decommission signal
        spark.worker.executorStateSync maxAttempts
        spark.worker.ui compressedLogFileLengthCacheSize port retainedDrivers retainedExecutors
        spark.yarn isPython stagingDir
        spark.yarn.dist forceDownloadSchemes pyFiles
        spark.yarn.kerberos.renewal excludeHadoopFileSystems
        spark.yarn.shuffle.server.recovery disabled
        """
}
