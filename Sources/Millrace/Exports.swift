// A program imports `Millrace` alone; what its types are made of comes with it.
@_exported import MillraceBase
@_exported import MillraceCore
@_exported import MillraceExecutor
@_exported import MillraceKafka
