module why520/bench/peers

go 1.26.0

replace why520 => ../..

require (
	github.com/cloudwego/hertz v0.10.4
	github.com/valyala/fasthttp v1.74.0
	why520 v0.0.0
)

require (
	github.com/bytedance/gopkg v0.1.3 // indirect
	github.com/klauspost/compress v1.20.0 // indirect
	github.com/molecule-man/go-brrr v1.0.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)
