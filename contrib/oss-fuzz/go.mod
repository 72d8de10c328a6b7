module why520/contrib/oss-fuzz

go 1.26.0

require why520 v0.0.0

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace why520 => ../..
